// Dark, light, or what the system says.  Kept with the reader, not in the link.

import { useEffect, useState } from "preact/hooks";
import { Theme } from "./colour";

export type Choice = "system" | "light" | "dark";
const KEY = "everprof-theme";
const media = matchMedia("(prefers-color-scheme: dark)");

function stored(): Choice {
	try {
		const t = localStorage.getItem(KEY);
		return t === "light" || t === "dark" ? t : "system";
	} catch {
		return "system"; // storage may be forbidden
	}
}

const resolve = (c: Choice): Theme => (c === "system" ? (media.matches ? "dark" : "light") : c);

export function useTheme(): { theme: Theme; choice: Choice; next: () => void } {
	const [choice, set] = useState<Choice>(stored);
	const [theme, setTheme] = useState<Theme>(() => resolve(stored()));
	useEffect(() => {
		const apply = (): void => {
			const t = resolve(choice);
			document.documentElement.dataset["theme"] = t;
			setTheme(t);
		};
		apply();
		media.addEventListener("change", apply);
		return () => media.removeEventListener("change", apply);
	}, [choice]);
	const next = (): void => {
		const to: Choice = choice === "system" ? (theme === "dark" ? "light" : "dark") : choice === "dark" ? "light" : "dark";
		try {
			localStorage.setItem(KEY, to);
		} catch {
			// then it lasts as long as the page
		}
		set(to);
	};
	return { theme, choice, next };
}
