// Plays recorded inputs into Verilator's model of the core and folds every output of every cycle into one word, as
// player.rs does with Weft's. Usage: player STIMULUS [STATE_NAMES]. Each line on standard input starts a run from the
// initial state; the answer is a line with seconds of processor time, the folded outputs and the answered words.
// Built with STATE, it also prints what each named register and memory word holds after the run.
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <vector>

#include "Vweft_core.h"
#include "verilated.h"
#ifdef STATE
#include <iostream>
#include <fstream>
#include <string>
#include "verilated_vpi.h"
#endif

double sc_time_stamp() { return 0; }

struct Cycle {
    uint64_t valid, data;
};

static double processor_time() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

#ifdef STATE
// A value in binary, most significant bit first.
static const char* bits(vpiHandle object) {
    s_vpi_value value;
    value.format = vpiBinStrVal;
    vpi_get_value(object, &value);
    return value.value.str;
}

// Some versions know a scope by the name that it has in C++, where a dollar sign is spelled __024.
static vpiHandle find(const std::string& name) {
    if (vpiHandle found = vpi_handle_by_name(const_cast<char*>(name.c_str()), nullptr)) return found;
    const size_t end = name.rfind('.');
    std::string spelled;
    for (size_t i = 0; i < end; i++) spelled += name[i] == '$' ? "__024" : name.substr(i, 1);
    spelled += name.substr(end);
    return vpi_handle_by_name(const_cast<char*>(spelled.c_str()), nullptr);
}

// Each line of the file is a depth, 0 for a register, and a hierarchical name.
static int state(const char* file) {
    std::ifstream names(file);
    uint64_t depth;
    std::string name;
    while (names >> depth >> name) {
        vpiHandle object = find(name);
        if (!object) {
            printf("?\n");
            continue;
        }
        if (depth == 0) printf("%s\n", bits(object));
        for (uint64_t i = 0; i < depth; i++) printf("%s\n", bits(vpi_handle_by_index(object, i)));
    }
    printf("end\n");
    return 0;
}
#endif

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    FILE* file = fopen(argv[1], "rb");
    if (!file) return 3;
    fseek(file, 0, SEEK_END);
    std::vector<Cycle> stimulus(ftell(file) / sizeof(Cycle));
    rewind(file);
    if (fread(stimulus.data(), sizeof(Cycle), stimulus.size(), file) != stimulus.size()) return 3;
    fclose(file);

    while (getchar() == '\n') {
        VerilatedContext context;
        auto core = std::make_unique<Vweft_core>(&context);
        core->out_ready = 1;
        uint64_t outputs = 0, answers = 0;
        const double from = processor_time();
        for (const Cycle& cycle : stimulus) {
            core->in_valid = cycle.valid;
            core->in_data = cycle.data;
            core->clock = 0;
            core->eval();
            const uint64_t valid = core->out_valid;
            const uint64_t word = static_cast<uint64_t>(core->in_ready) << 33 | valid << 32 | core->out_data;
            outputs = ((outputs << 5 | outputs >> 59) ^ word) * 0x9e3779b97f4a7c15;
            answers += valid;
            core->clock = 1;
            core->eval();
        }
        printf("%.9f %llu %llu\n", processor_time() - from, static_cast<unsigned long long>(outputs),
               static_cast<unsigned long long>(answers));
#ifdef STATE
        if (argc > 2) state(argv[2]);
#endif
        fflush(stdout);
    }
    return 0;
}
