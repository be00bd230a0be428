"""Extracts the evaluation texts from two Debian packages.

`r-cran-janeaustenr` carries Jane Austen's Persuasion (public domain; needs `Rscript`), and
`debian-handbook` carries the Debian Administrator's Handbook. The beginning of Persuasion is kept
in `host-driver/tests/data/persuasion.txt`; the handbook is not, because of its licence.

    python3 texts.py OUTPUT_DIRECTORY
"""

import html.parser
import pathlib
import re
import subprocess
import sys

CHARACTERS = 48_000
HANDBOOK = pathlib.Path("/usr/share/doc/debian-handbook/html/en-US")
# Chapters in reading order, enough for the characters asked for.
PAGES = ["installation", "sect.installation-steps", "sect.after-first-boot", "packaging-system",
         "sect.manipulating-packages-with-dpkg", "apt", "sect.apt-get", "sect.kernel-compilation"]


class _Text(html.parser.HTMLParser):
    SKIP = {"script", "style", "title", "head"}
    BREAK = {"p", "div", "li", "h1", "h2", "h3", "h4", "pre", "dt", "dd", "br", "tr", "table"}

    def __init__(self):
        super().__init__()
        self.parts, self.skipped = [], 0

    def handle_starttag(self, tag, attrs):
        self.skipped += tag in self.SKIP
        if tag in self.BREAK:
            self.parts.append("\n")

    def handle_endtag(self, tag):
        self.skipped -= tag in self.SKIP
        if tag in self.BREAK:
            self.parts.append("\n")

    def handle_data(self, data):
        if not self.skipped:
            self.parts.append(data)


def persuasion():
    program = 'load <- new.env(); lazyLoad("/usr/lib/R/site-library/janeaustenr/data/Rdata", load); ' \
              'writeLines(load$persuasion)'
    text = subprocess.run(["Rscript", "-e", program], check=True, capture_output=True, text=True)
    body = text.stdout[text.stdout.rindex("NULL\n") + 5:] if "NULL\n" in text.stdout else text.stdout
    return cut(body)


def handbook():
    texts = []
    for page in PAGES:
        parser = _Text()
        parser.feed((HANDBOOK / f"{page}.html").read_text(encoding="utf-8"))
        lines = (re.sub(r"\s+", " ", line).strip() for line in "".join(parser.parts).split("\n"))
        texts.append("\n".join(line for line in lines if line))
    return cut("\n\n".join(texts))


def cut(text):
    """The first characters, up to the last whole line."""
    return text[:text.rindex("\n", 0, CHARACTERS) + 1]


if __name__ == "__main__":
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    (out / "persuasion.txt").write_text(persuasion(), encoding="utf-8")
    (out / "handbook.txt").write_text(handbook(), encoding="utf-8")
