#!/usr/bin/env bash
# Prints a page of docs/ as a manual page or as HTML, with the verbs and settings filled in by the
# executable itself.
#
#   install/man/render.sh man|html ONELANE docs/NAME.SECTION.md
set -euo pipefail

[[ $# == 3 ]] || { echo 'usage: render.sh man|html ONELANE PAGE' >&2; exit 64; }
command -v lowdown >/dev/null ||
  { echo 'render.sh: lowdown is missing; install/packages.sh build installs it' >&2; exit 1; }

HERE=$(dirname "$0")
NAME=$(basename "$3" .md)
SECTION=${NAME##*.}
NAME=${NAME%.*}
case $SECTION in
  1) VOLUME='User Commands' ;;
  5) VOLUME='File Formats' ;;
  *) VOLUME='Miscellaneous' ;;
esac

case $1 in
  man)
    "$2" __man "$3" |
      lowdown -s -tman --nroff-nolinks --out-no-smarty -m "title=${NAME^^}" -m "section=$SECTION" \
        -m date=2026-11-30 -m "source=$("$2" --version)" -m "volume=$VOLUME" |
      awk -f "$HERE/man.awk"
    ;;
  html)
    # Installed, the pictures are in the pages' folder, and the pages are HTML.
    "$2" __man "$3" |
      sed 's/\(]([a-z.0-9-]*\)\.md\([)#]\)/\1.html\2/g; s|](\.\./tests/pictures/|](|g' |
      lowdown -s -thtml --out-no-smarty -m css=manual.css -m "title=$NAME($SECTION)"
    ;;
esac
