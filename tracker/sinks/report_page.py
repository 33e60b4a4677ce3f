"""The page of a contact sheet: one HTML file that holds everything it shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from tracker.sinks.column import axis
from tracker.sinks.plane import Entry, plane
from tracker.sinks.scene_columns import OUTDOOR, best_place, positive, score_of
from tracker.values import SceneReading

EMOTIONS_SHOWN = 2

STYLE = """
:root{color-scheme:light dark;--ink:#222;--paper:#fff;--faint:#bbb}
@media(prefers-color-scheme:dark){:root{--ink:#ddd;--paper:#1b1b1b;--faint:#555}}
body{font:14px/1.4 sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;
color:var(--ink);background:var(--paper)}
.plane{position:relative;margin:1.5rem 0}.plane svg{position:absolute;inset:0}
.plane text{font:13px sans-serif;fill:var(--ink)}.plane line{stroke:var(--faint);stroke-width:.6}
.plane .zero{stroke:var(--ink);stroke-width:1.2}.plane .over{pointer-events:none}
.plane .over line{stroke:#d55e00;stroke-width:1}
.plane circle{fill:#d55e00;stroke:#fff;stroke-width:.6;pointer-events:auto}
.t{display:block;background-repeat:no-repeat;background-position:center;background-size:contain}
.plane .t{position:absolute;outline:1px solid var(--faint)}
.plane .t:hover{transform:scale(2.2);z-index:9}
table{border-collapse:collapse;width:100%}td,th{padding:.3rem .5rem;text-align:left;
border-bottom:1px solid var(--faint)}td.n{text-align:right;font-variant-numeric:tabular-nums}
th{cursor:pointer}td .t{width:96px;height:64px}tr:target{outline:2px solid #d55e00}
"""
SORT = """
document.querySelectorAll("th").forEach((head,i)=>head.onclick=()=>{
const body=document.querySelector("tbody"),down=head.down=!head.down;
const key=row=>row.cells[i].textContent;
body.append(...[...body.rows].sort((p,q)=>{const x=key(p),y=key(q);
const order=x===""||y===""?(x==="")-(y===""):isNaN(x-y)?x.localeCompare(y):x-y;
return x===""||y===""?order:down?-order:order}))})
"""
SAYS = """
Each picture stands where the network expects its viewers' feelings to lie: pleasant to the right,
exciting above. The dot is the value; its picture stands on it or near it, so that none covers
another, and is left out where too many crowd. It is what each picture alone evokes
(<code>scene_valence_raw</code>, <code>scene_arousal_raw</code>), an average over people who differ
(SD), and no measure of anyone's actual feeling. Of a film, moments at even distances are shown.
"They show" is the mean valence of the faces in a picture.
"""


def page(entries: Sequence[Entry]) -> str:
    """entries: at least one; their network says valence and arousal."""
    order = sorted(entries, key=lambda e: (-e.raw.valence, e.name, e.result.pts))
    pictures = "".join(f".p{i}{{background-image:url({e.thumbnail})}}" for i, e in enumerate(order))
    title = _title(order)
    films = any(entry.result.pts for entry in entries)
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{escape(title)}</title>"
        f"<style>{STYLE}{pictures}</style></head><body><h1>{escape(title)}</h1><p>{SAYS}</p>"
        f"{plane(order)}{_table(order, times=films)}<script>{SORT}</script></body></html>\n"
    )


def _title(entries: Sequence[Entry]) -> str:
    name = Path(entries[0].result.source).name
    if len(entries) == 1:
        return f"What {name} evokes"
    sources = {entry.result.source for entry in entries}
    films = {entry.result.source for entry in entries if entry.result.pts}
    if len(sources) == 1:
        return f"What {len(entries)} moments of {name} evoke"
    what = f"moments of {len(films)} films" if films == sources else "pictures"
    return f"What {len(entries)} {what} evoke"


def _table(entries: Sequence[Entry], *, times: bool) -> str:
    heads = ["", "picture", *(["s"] if times else []), "valence", "SD", "arousal", "SD"]
    heads += ["positive", "emotions", "outdoors", "place", "faces", "they show"]
    rows = "".join(
        f"<tr id=r{i}><td><span class='t p{i}'></span></td>{_cells(entry, times=times)}</tr>"
        for i, entry in enumerate(entries)
    )
    head = "".join(f"<th>{word}</th>" for word in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(entry: Entry, *, times: bool) -> str:
    result, scene = entry.result, entry.scene
    raw, spread = entry.raw, scene.spread
    shown = [person.affect.smooth.valence for person in result.people]
    return "".join(
        [
            f"<td>{escape(entry.name)}</td>",
            _number(result.pts, ".3f") if times else "",
            _number(raw.valence, "+z.2f"),
            _number(axis(spread, "valence"), ".2f"),
            _number(raw.arousal, "+z.2f"),
            _number(axis(spread, "arousal"), ".2f"),
            _number(positive(scene.emotions), ".2f"),
            f"<td>{_likeliest(scene)}</td>",
            _number(score_of(scene.place, OUTDOOR), ".2f"),
            f"<td>{_place(scene)}</td>",
            _number(len(shown), "d"),
            _number(sum(shown) / len(shown) if shown else None, "+z.2f"),
        ]
    )


def _number(value: float | None, form: str) -> str:
    return f"<td class=n>{'' if value is None else format(value, form)}</td>"


def _place(scene: SceneReading) -> str:
    label, score = best_place(scene.place)
    return "" if label is None else f"{escape(label)} {score:.2f}"


def _likeliest(scene: SceneReading) -> str:
    if scene.emotions is None:
        return ""
    pairs = zip(scene.emotions.values, scene.emotions.labels, strict=True)
    best = sorted(pairs, reverse=True)[:EMOTIONS_SHOWN]
    return ", ".join(f"{label} {value:.2f}" for value, label in best)
