//! Registers, packets and number formats shared by RTL, driver and docs.
