"""What the memory's card tells in words: data, noise, limits."""

DATA = [
    {
        "name": "Forrest Gump, portrayed emotions by character and scene (Labs et al. 2015)",
        "source": "psychoinformatics-de/studyforrest-data-annotations @ 155097f",
        "licence": "CC0",
        "used_for": "train; every fifth scene held out",
    },
    {
        "name": "TV-news clips, mean felt valence (Samide, Cooper and Ritchey 2019)",
        "source": "memobc/paper-videonorming @ e3e2d8d",
        "licence": '"feel free to use these stimuli and data" (source README; no formal licence)',
        "used_for": "train; every fifth clip held out",
    },
    {
        "name": "CEAP-360VR, felt affect by joystick (Xue et al. 2021)",
        "source": "cwi-dis/CEAP-360VR-Dataset @ d41a821",
        "licence": "CC BY-NC 4.0",
        "used_for": "evaluation only",
    },
    {
        "name": "LIRIS-ACCEDE continuous, mean felt affect (Baveye et al. 2015)",
        "source": "JustinNOT/BSC_LIRIS_ACCEDE @ 72f6bc2",
        "licence": "none stated; the official set needs an agreement",
        "used_for": "evaluation only",
    },
]
NOISE_ORIGIN = (
    "Made noise, as measured of the shipped detector and face network on the test clips, picture "
    "by picture, by python -m calibration.memory.measure: how long and how often a face is lost; "
    "level, flicker and fall of the confidence, and how the readings tremble as it falls; white "
    "noise, jitter, drift and the correlation of the axes; the swing of a reading with a restless "
    "mouth; what a blur does to it; outliers; how far people differ. Nobody knows what those "
    "people felt, so these are upper bounds where faces moved. How often people talk, how often a "
    "picture is blurred or a track changes its owner, and mute confidence are assumed."
)
LIMITS = (
    "Taught on traces that people drew or marked, with made noise added; no face was seen. So the "
    "scores say how well it undoes that noise, not how well affect is read. The traces come from "
    "one American film and from TV news, one value in 1 s or 0.5 s; faces move faster, which the "
    "training imitates by playing the traces up to six times as fast, and by expressions that "
    "come and go. Movement as quick as CEAP-360VR's joysticks at three times their pace it follows "
    "less well than a light filter does. An error that stays (a person's bias) it cannot remove. "
    "Its spread is right, on average, for such noise; where a system errs for longer than a few "
    "seconds it is too small. It knows 2 to 60 readings a second. The filters it is compared with "
    "were tuned on the training traces with the same noise, for every rate; the memory has one set "
    "of weights for all. Of its recipe the weight of lag was chosen on training traces; the slower "
    "movement beneath a series and the time constants of its means after earlier versions had been "
    "scored on the held-out ones, so the scores flatter it a little."
)
