//! Cycle-accurate simulator: synthesisable Verilog in, machine code out.
