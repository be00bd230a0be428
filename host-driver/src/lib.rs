//! Host side of Weft: model import, packing, devices and the language model.
