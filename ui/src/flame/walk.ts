// Moving from frame to frame by keyboard: parent, heaviest child, neighbours.

import { heaviestChild, Tree } from "../tree";

export type Way = "up" | "down" | "left" | "right";

/** The frame reached from `i`; `i` itself where there is none. */
export function walk(t: Tree, i: number, way: Way): number {
	if (i < 0) return 0;
	switch (way) {
		case "up": return t.parent[i]! < 0 ? i : t.parent[i]!;
		case "down": {
			const c = heaviestChild(t, i);
			return c < 0 ? i : c;
		}
		case "right": {
			const next = t.end[i]!;
			return next < t.n && t.parent[next] === t.parent[i] ? next : i;
		}
		case "left": {
			let before = -1;
			const p = t.parent[i]!;
			if (p < 0) return i;
			for (let c = p + 1; c < i; c = t.end[c]!) before = c;
			return before < 0 ? i : before;
		}
	}
}
