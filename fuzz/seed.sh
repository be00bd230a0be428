#!/bin/sh
# Fills the corpora of the targets from the project's own files: `fuzz/seed.sh [MORE.v ...]`, from anywhere.
# Verilog is seeded with its first module called `t`, which is the top that the targets ask for.
set -eu
cd "$(dirname "$0")/.."
mkdir -p fuzz/corpus/verilog fuzz/corpus/simulate fuzz/corpus/netlist
git ls-files '*.v' | while read -r file; do
    name=$(echo "$file" | tr / _)
    sed '0,/^\( *module  *\)[A-Za-z_][A-Za-z0-9_]*/s//\1t/' "$file" >"fuzz/corpus/verilog/$name"
done
for file in "$@"; do
    sed '0,/^\( *module  *\)[A-Za-z_][A-Za-z0-9_]*/s//\1t/' "$file" >"fuzz/corpus/verilog/$(basename "$file")"
done
cp fuzz/corpus/verilog/* fuzz/corpus/simulate/
git ls-files 'sim/tests/passes/*.ir' 'sim/tests/passes/resolve/*.out' 'sim/tests/passes/fold/*.out' \
    'sim/tests/passes/dead/*.out' | while read -r file; do
    cp "$file" "fuzz/corpus/netlist/$(echo "$file" | tr / _)"
done
