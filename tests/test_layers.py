"""Who may import whom. A module may import modules of a lower rank, and nothing else of ours."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
RANKS = {  # longest matching prefix wins
    "engines.base": 0,
    "engines.ort": 1,
    "engines.cuda": 1,
    "engines.plans": 1,
    "engines.shapes": 1,
    "engines.operators": 2,
    "engines.building": 2,
    "engines.pytorch": 3,
    "engines.nvidia": 3,
    "engines.proof": 2,
    "engines.trt": 4,
    "engines.trt_rtx": 4,
    "engines": 3,  # its backends are imported by name, on first use
    "tracker.picture": 2,
    "tracker.values": 3,
    "tracker.appearance": 4,
    "tracker.aside": 4,
    "tracker.geometry": 4,
    "tracker.handoff": 4,
    "tracker.mel": 4,
    "tracker.models": 4,
    "tracker.remote": 4,
    "tracker.resize": 4,
    "tracker.bars": 4,
    "tracker.shading": 4,
    "tracker.sound": 4,
    "tracker.fit": 5,
    "tracker.crops": 5,
    "tracker.cuts": 5,
    "tracker.downloads": 5,
    "tracker.profile": 5,
    "tracker.profile_file": 6,
    "tracker.rolling": 5,
    "tracker.smoothing": 5,
    "tracker.tracks": 5,
    "tracker.detectors.boxes": 5,
    "tracker.detectors": 6,
    "tracker.detectors.__init__": 7,
    "tracker.sources.base": 5,
    "tracker.sources.head": 5,
    "tracker.sources.mono": 5,
    "tracker.sources": 6,
    "tracker.sources.camera_names": 7,
    "tracker.sources.camera_opencv": 7,
    "tracker.sources.opened": 7,
    "tracker.sources.decoding": 7,
    "tracker.sources.film": 8,
    "tracker.sources.live_url": 9,
    "tracker.sources.photos": 7,
    "tracker.sources.__init__": 10,
    "tracker.latency": 4,
    "tracker.nameless": 4,
    "tracker.sinks.streams": 10,
    "tracker.sinks.base": 5,
    "tracker.sinks.column": 6,
    "tracker.sinks.audio_columns": 7,
    "tracker.sinks.context_columns": 7,
    "tracker.sinks.scene_columns": 7,
    "tracker.sinks.unfilled": 8,
    "tracker.sinks.sheet": 8,
    "tracker.sinks.plane": 8,
    "tracker.sinks.report_page": 9,
    "tracker.sinks.report": 10,
    "tracker.sinks.rows": 8,
    "tracker.sinks": 9,
    "tracker.audio": 8,
    "tracker.faces": 8,
    "tracker.context": 8,
    "tracker.people": 8,
    "tracker.scene": 8,
    "tracker.pipeline": 9,
    "tracker.run": 10,
    "tracker.options": 7,
    "tracker.api": 11,
    "tracker.playback": 11,
    "tracker": 12,  # re-exports only
    "tracker.commands.engine": 13,
    "tracker.commands.engines": 17,
    "tracker.gui.application": 11,
    "tracker.gui.colours": 11,
    "tracker.gui.pace": 11,
    "tracker.gui.series": 11,
    "tracker.gui.words": 11,
    "tracker.gui.keys": 12,
    "tracker.gui.scrub": 11,
    "tracker.gui.overlay": 12,
    "tracker.gui.scales": 12,
    "tracker.gui.lines": 12,
    "tracker.gui": 13,
    "tracker.gui.__init__": 14,
    "tracker.gui.controls": 14,
    "tracker.gui.window": 15,
    "tracker.commands.inputs": 12,
    "tracker.commands.interrupt": 12,
    "tracker.commands.summary": 12,  # text only
    "tracker.commands.outputs": 12,
    "tracker.commands.pictures": 12,
    "tracker.commands.streams": 12,
    "tracker.commands.tables": 12,
    "tracker.commands.words": 14,
    "tracker.commands.neutral_capture": 15,
    "tracker.commands.view": 16,
    "tracker.commands": 17,
    "tracker.cli": 18,
    "tracker.__main__": 19,
    "calibration.metrics": 11,
    "calibration.training": 13,
    "calibration.export": 12,
    "calibration.quantize": 12,
    "calibration.cards": 12,
    "calibration.baseline": 12,
    "calibration.samples": 12,
    "calibration.epochs": 14,
    "calibration.pages": 12,
    "calibration.agreement": 12,
    "calibration.traces": 13,
    "calibration.labelled": 14,
    "calibration": 15,  # a folder for each network and each evaluation
    "calibration.poster": 16,  # stands on the face network
    "calibration.backbones": 16,  # on the scene network's
    "calibration.emotic": 17,
    "calibration.evoked": 17,
}
OURS = ("tracker", "engines", "calibration")


def rank(module):
    best = max((p for p in RANKS if f"{module}.".startswith(f"{p}.")), key=len)
    return RANKS[best]


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules():
    for path in (p for top in OURS for p in (ROOT / top).rglob("*.py")):
        yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def one_room(importer, target):
    """A folder below `calibration`: its files may lean on each other."""
    folder = importer.split(".")[:2]
    return (
        folder[0] == "calibration"
        and len(importer.split(".")) > 2
        and target.split(".")[:2] == folder
    )


def test_imports_only_go_down():
    wrong = [
        f"{importer} -> {target}"
        for importer, path in modules()
        for target in imports(path)
        if target.split(".")[0] in OURS
        and rank(target) >= rank(importer)
        and not one_room(importer, target)
    ]
    assert wrong == []


def test_no_module_reaches_itself_through_others():
    reached = {name: set(imports(path)) for name, path in modules()}
    graph = {
        name: {t for t in reached for i in used if t != name and f"{i}.".startswith(f"{t}.")}
        for name, used in reached.items()
    }
    while leaves := {name for name, uses in graph.items() if not uses & graph.keys()}:
        graph = {name: uses for name, uses in graph.items() if name not in leaves}
    assert graph == {}
