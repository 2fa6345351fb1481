// A button with a panel under it.  Opens with a click, Enter or arrow down; closes with
// Esc, a click elsewhere, or a choice; the focus goes in and comes back.

import { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
	id: string;
	label: string;
	title: string;
	className?: string;
	align?: "left" | "right";
	text: ComponentChildren;
	children: (close: () => void) => ComponentChildren;
}

const FOCUSABLE = "input, select, button, a[href], [tabindex='0']";

export function Popup({ id, label, title, className = "", align = "left", text, children }: Props) {
	const [open, setOpen] = useState(false);
	const root = useRef<HTMLDivElement>(null);
	const button = useRef<HTMLButtonElement>(null);
	const close = (): void => {
		setOpen(false);
		button.current?.focus();
	};
	useEffect(() => {
		if (!open) return;
		root.current?.querySelector<HTMLElement>(".panel")?.querySelector<HTMLElement>(FOCUSABLE)?.focus();
		const outside = (e: Event): void => {
			if (!root.current?.contains(e.target as Node)) setOpen(false);
		};
		// The focused part of a panel may go away, and the focus with it: then only the
		// document hears the key.
		const escape = (e: KeyboardEvent): void => {
			if (e.key !== "Escape") return;
			e.preventDefault();
			e.stopPropagation();
			close();
		};
		document.addEventListener("pointerdown", outside);
		document.addEventListener("keydown", escape, true);
		return () => {
			document.removeEventListener("pointerdown", outside);
			document.removeEventListener("keydown", escape, true);
		};
	}, [open]);
	const onKey = (e: KeyboardEvent): void => {
		if (e.key === "ArrowDown" && !open) {
			e.preventDefault();
			setOpen(true);
		} else if (open && (e.key === "ArrowDown" || e.key === "ArrowUp")) {
			moveFocus(e, root.current!);
		}
		if (open) e.stopPropagation();
	};
	return (
		<div class={`popup ${className}`} ref={root} onKeyDown={onKey}>
			<button ref={button} id={id} class="control" type="button" title={title} aria-haspopup="dialog"
				aria-expanded={open} aria-label={label} onClick={() => setOpen(!open)}>
				{text}
			</button>
			{open && <div class={`panel ${align}`} role="dialog" aria-label={label}>{children(close)}</div>}
		</div>
	);
}

function moveFocus(e: KeyboardEvent, root: HTMLElement): void {
	const all = [...root.querySelectorAll<HTMLElement>(".panel input, .panel button")];
	const at = all.indexOf(document.activeElement as HTMLElement);
	const next = all[at + (e.key === "ArrowDown" ? 1 : -1)];
	if (next === undefined) return;
	e.preventDefault();
	next.focus();
}
