// All services at a glance.

import { count, percent, typeText, typeUnit, value } from "../format";
import { Model, preferredType } from "../model";
import { go } from "../store";
import { spanText } from "../time";
import { Bar, Message, Name } from "./bits";

export function Services({ model }: { model: Model }) {
	const all = model.services.value;
	if (model.services.error !== "") return <Message tone="error" title="No services"><p>{model.services.error}</p></Message>;
	if (all === null) return <div class="table-box" />;
	const type = model.state.type || preferredType(all.flatMap((s) => s.types));
	const own = (s: (typeof all)[number]): number => Object.entries(s.total).find(([k]) => k === type)?.[1] ?? 0;
	const rows = [...all].sort((a, b) => own(b) - own(a));
	const whole = rows.reduce((a, s) => a + own(s), 0);
	return (
		<div class="table-box" tabIndex={0} aria-label="services">
			<table class="services">
				<thead><tr>
					<th scope="col">service</th><th scope="col" class="num" colSpan={2}>{typeText(type)}</th>
					<th scope="col" class="num">profiles</th><th scope="col" class="num">last</th><th scope="col">types</th>
				</tr></thead>
				<tbody>
					{rows.map((s) => (
						<tr key={s.name}>
							<td class="name"><button class="link" type="button"
								onClick={() => go({ service: s.name, type: s.types.includes(type) ? type : preferredType(s.types), labels: [], focus: [], view: "flame" })}>
								<Name text={s.name} max={100} /></button></td>
							<td class="num">{value(own(s), typeUnit(type))}</td>
							<td class="num share"><Bar part={whole > 0 ? own(s) / whole : 0} />{percent(own(s), whole)}</td>
							<td class="num">{count(s.profiles)}</td>
							<td class="num">{model.now - s.last < 1500 ? "now" : `${spanText(model.now - s.last)} ago`}</td>
							<td class="dim">{s.types.map(typeText).join(", ")}</td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}
