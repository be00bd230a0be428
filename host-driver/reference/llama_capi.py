"""The few calls of llama.cpp's C interface that the reference figures need.

The PyPI wheel `xllamacpp` exports them from its extension module. Parameter structures are passed
through as opaque bytes: only the leading context fields are set, after a check that the library's
own defaults stand where they are expected.
"""

import ctypes as c

import numpy as np
import xllamacpp
from xllamacpp import xllamacpp as _extension

VERSION = xllamacpp.__version__

# Offset of `vocab_only` in the model parameters.
VOCAB_ONLY_AT = 72

_lib = c.CDLL(_extension.__file__)


class _Opaque(c.Structure):
    _fields_ = [("words", c.c_uint32 * 128)]


class _Batch(c.Structure):
    _fields_ = [
        ("n_tokens", c.c_int32),
        ("token", c.POINTER(c.c_int32)),
        ("embd", c.POINTER(c.c_float)),
        ("pos", c.POINTER(c.c_int32)),
        ("n_seq_id", c.POINTER(c.c_int32)),
        ("seq_id", c.POINTER(c.POINTER(c.c_int32))),
        ("logits", c.POINTER(c.c_int8)),
    ]


_LOG = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)


def _declare(name, restype, *argtypes):
    function = getattr(_lib, name)
    function.restype, function.argtypes = restype, argtypes
    return function


_model_defaults = _declare("llama_model_default_params", _Opaque)
_context_defaults = _declare("llama_context_default_params", _Opaque)
_load = _declare("llama_model_load_from_file", c.c_void_p, c.c_char_p, _Opaque)
_init = _declare("llama_init_from_model", c.c_void_p, c.c_void_p, _Opaque)
_free = _declare("llama_free", None, c.c_void_p)
_vocab = _declare("llama_model_get_vocab", c.c_void_p, c.c_void_p)
_n_vocab = _declare("llama_vocab_n_tokens", c.c_int32, c.c_void_p)
_add_bos = _declare("llama_vocab_get_add_bos", c.c_bool, c.c_void_p)
_is_eog = _declare("llama_vocab_is_eog", c.c_bool, c.c_void_p, c.c_int32)
_tokenize = _declare(
    "llama_tokenize", c.c_int32, c.c_void_p, c.c_char_p, c.c_int32,
    c.POINTER(c.c_int32), c.c_int32, c.c_bool, c.c_bool)
_piece = _declare(
    "llama_token_to_piece", c.c_int32, c.c_void_p, c.c_int32, c.c_char_p, c.c_int32,
    c.c_int32, c.c_bool)
_batch_init = _declare("llama_batch_init", _Batch, c.c_int32, c.c_int32, c.c_int32)
_batch_free = _declare("llama_batch_free", None, _Batch)
_decode = _declare("llama_decode", c.c_int32, c.c_void_p, _Batch)
_logits = _declare("llama_get_logits_ith", c.POINTER(c.c_float), c.c_void_p, c.c_int32)
_memory = _declare("llama_get_memory", c.c_void_p, c.c_void_p)
_clear = _declare("llama_memory_clear", None, c.c_void_p, c.c_bool)
_log_set = _declare("llama_log_set", None, _LOG, c.c_void_p)
_quiet = _LOG(lambda *_: None)


class Model:
    """A model file with one context of `n_ctx` tokens on `threads` threads."""

    def __init__(self, path, n_ctx=2048, threads=2, exact_cache=False, vocab_only=False):
        _log_set(_quiet, None)
        _declare("llama_backend_init", None)()
        params = _model_defaults()
        if vocab_only:
            c.cast(c.byref(params), c.POINTER(c.c_uint8))[VOCAB_ONLY_AT] = 1
        self.model = _load(str(path).encode(), params)
        assert self.model, f"cannot load {path}"
        self.vocab = _vocab(self.model)
        self.n_vocab = _n_vocab(self.vocab)
        self.add_bos = bool(_add_bos(self.vocab))
        self.context = None
        if not vocab_only:
            self._create_context(n_ctx, threads, exact_cache)

    def _create_context(self, n_ctx, threads, exact_cache):
        params = _context_defaults()
        head = list(params.words[:3])
        assert head == [512, 2048, 512], f"another structure layout: {head}"
        assert list(params.words[7:9]) == [4, 4], "another structure layout"
        assert list(params.words[26:28]) == [1, 1], "another structure layout"
        params.words[0] = n_ctx
        params.words[1] = max(n_ctx, 512)
        params.words[7] = params.words[8] = threads
        if exact_cache:
            params.words[26] = params.words[27] = 0  # F32 keys and values instead of F16
        self.context = _init(self.model, params)
        assert self.context, "cannot create a context"
        self.batch = _batch_init(max(n_ctx, 512), 0, 1)
        self.position = 0

    def close(self):
        _batch_free(self.batch)
        _free(self.context)

    def is_eog(self, token):
        return bool(_is_eog(self.vocab, token))

    def tokenize(self, text, add_special=True, parse_special=False):
        data = text.encode()
        out = (c.c_int32 * (len(data) + 8))()
        n = _tokenize(self.vocab, data, len(data), out, len(out), add_special, parse_special)
        assert n >= 0
        return list(out[:n])

    def piece(self, token, special=True):
        buffer = c.create_string_buffer(256)
        n = _piece(self.vocab, token, buffer, len(buffer), 0, special)
        return buffer.raw[:n]

    def clear(self):
        _clear(_memory(self.context), True)
        self.position = 0

    def decode(self, tokens, every=False):
        """Appends `tokens`; gives logits of the last, or of every token."""
        b = self.batch
        b.n_tokens = len(tokens)
        for i, t in enumerate(tokens):
            b.token[i], b.pos[i] = t, self.position + i
            b.n_seq_id[i], b.seq_id[i][0] = 1, 0
            b.logits[i] = every or i == len(tokens) - 1
        assert _decode(self.context, b) == 0, "decode failed"
        self.position += len(tokens)
        rows = range(len(tokens)) if every else [len(tokens) - 1]
        return np.stack([
            np.ctypeslib.as_array(_logits(self.context, i), (self.n_vocab,)).copy() for i in rows
        ])
