#!/bin/sh
# Fills the corpora of the targets from the project's own files and from those given: `fuzz/seed.sh [FILE ...]`, of which
# `.v` are Verilog, `.gguf` model files and `.weft` containers. Verilog is seeded with its first module called `t`, which
# is the top that the targets ask for.
set -eu
corpus=$(cd "$(dirname "$0")" && pwd)/corpus
mkdir -p "$corpus/verilog" "$corpus/simulate" "$corpus/netlist" "$corpus/container" "$corpus/gguf"
verilog() {
    sed '0,/^\( *module  *\)[A-Za-z_][A-Za-z0-9_]*/s//\1t/' "$1" >"$corpus/verilog/$(echo "$1" | tr / _)"
}
for file in "$@"; do
    case $file in
    *.gguf) cp "$file" "$corpus/gguf/" ;;
    *.weft) cp "$file" "$corpus/container/" ;;
    *) verilog "$file" ;;
    esac
done
cd "$corpus/../.."
git ls-files '*.v' | while read -r file; do verilog "$file"; done
cp "$corpus"/verilog/*.v "$corpus/simulate/"
git ls-files 'sim/tests/passes/*.ir' 'sim/tests/passes/resolve/*.out' 'sim/tests/passes/fold/*.out' \
    'sim/tests/passes/dead/*.out' | while read -r file; do
    cp "$file" "$corpus/netlist/$(echo "$file" | tr / _)"
done
