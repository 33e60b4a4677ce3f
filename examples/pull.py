"""We own the loop: every result of a film, as soon as it is there.

python examples/pull.py examples/demo.mp4
"""

import argparse

from tracker import watch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("film")
    for result in watch(parser.parse_args().film):
        for person in result.people:
            affect = person.affect.smooth
            print(
                f"{result.pts:8.3f} s  face {person.face.track}  "
                f"valence {affect.valence:+.2f}  arousal {affect.arousal:+.2f}"
            )


if __name__ == "__main__":
    main()
