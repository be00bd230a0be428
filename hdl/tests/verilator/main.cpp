// Feeds a file of bytes to the core with random gaps on both sides and writes the words it answers.
// Usage: core STIMULUS ANSWERS SEED IN_GAP OUT_GAP QUIET; a gap is a chance in 256, QUIET the idle cycles that end
// the run. Prints the cycle count of the last activity.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vweft_core.h"
#include "verilated.h"

#ifndef STREAM_BYTES
#error "STREAM_BYTES must be set"
#endif

double sc_time_stamp() { return 0; }

static uint64_t state;
static uint32_t draw() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<uint32_t>(state >> 32) & 255;
}

int main(int argc, char** argv) {
    if (argc != 7) return 2;
    FILE* file = fopen(argv[1], "rb");
    if (!file) return 3;
    std::vector<uint8_t> bytes;
    uint8_t block[4096];
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;) bytes.insert(bytes.end(), block, block + n);
    fclose(file);
    state = strtoull(argv[3], nullptr, 10) * 2 + 1;
    const uint32_t in_gap = atoi(argv[4]), out_gap = atoi(argv[5]);
    const uint64_t quiet = strtoull(argv[6], nullptr, 10);
    FILE* answers = fopen(argv[2], "wb");
    if (!answers) return 4;

    VerilatedContext context;
    Vweft_core core(&context);
    uint64_t cycle = 0, last = 0;
    size_t at = 0;
    bool offered = false;
    while (cycle - last < quiet) {
        // A beat that was offered and not taken stays.
        if (!offered && at + STREAM_BYTES <= bytes.size() && draw() >= in_gap) offered = true;
        uint64_t beat = 0;
        if (offered)
            for (int i = 0; i < STREAM_BYTES; i++) beat |= static_cast<uint64_t>(bytes[at + i]) << (8 * i);
        core.in_valid = offered;
        core.in_data = beat;
        core.out_ready = draw() >= out_gap;
        core.clock = 0;
        core.eval();
        const bool taken = offered && core.in_ready;
        const bool given = core.out_valid && core.out_ready;
        const uint32_t word = core.out_data;
        core.clock = 1;
        core.eval();
        cycle++;
        if (taken) {
            at += STREAM_BYTES;
            offered = false;
            last = cycle;
        }
        if (given) {
            fwrite(&word, 4, 1, answers);
            last = cycle;
        }
    }
    fclose(answers);
    printf("%llu\n", static_cast<unsigned long long>(last));
    return 0;
}
