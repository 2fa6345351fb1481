// Names come from programs we do not know.  Here they become text that can be read:
// control characters are shown as pictures, characters that turn the direction of
// writing are spelled out, an empty name says so.  Markup is never made from a name;
// this file is about legibility, textContent is about safety.

export const NO_NAME = "(no name)";

const TURNS = /[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;

const picture = (c: string): string => {
	const code = c.charCodeAt(0);
	if (code < 0x20) return String.fromCharCode(0x2400 + code);
	return code === 0x7f ? "\u2421" : "\ufffd";
};

const spelled = (c: string): string =>
	`\u2039U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}\u203a`;

/** A name as it may be shown, at most `max` characters of it. */
export function visible(name: string, max = 4096): string {
	if (name === "") return NO_NAME;
	const cut = name.length > max ? name.slice(0, max) + "\u2026" : name;
	return cut.replace(CONTROLS, picture).replace(TURNS, spelled);
}

/** A value of a label, as a part of a graph. */
export function labelText(value: string, name: string): string {
	if (value === "") return name === "" ? "without" : `without ${visible(name, 60)}`;
	return name === "" || name === "service_name" ? visible(value, 200) : `${visible(name, 60)} = ${visible(value, 200)}`;
}
