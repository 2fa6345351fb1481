// Small pieces that several views share.

import { ComponentChildren } from "preact";
import { visible } from "../text";

/** A name as text, in a direction of its own. */
export function Name({ text, max = 2000, class: cls = "" }: { text: string; max?: number; class?: string }) {
	return <bdi class={`mono ${cls}`} title={visible(text, 500)}>{visible(text, max)}</bdi>;
}

/** What stands where the graph would be. */
export function Message({ title, children, tone = "" }: { title: string; children?: ComponentChildren; tone?: string }) {
	return (
		<div class={`message ${tone}`} role={tone === "error" ? "alert" : "status"}>
			<h2>{title}</h2>
			{children}
		</div>
	);
}

/** A share as a thin bar. */
export function Bar({ part, tone = "" }: { part: number; tone?: string }) {
	const w = `${Math.min(100, Math.max(0, part * 100)).toFixed(2)}%`;
	return <span class="bar" aria-hidden="true"><span class={tone} style={{ width: w }} /></span>;
}

export function Caret() {
	return <span class="caret" aria-hidden="true" />;
}
