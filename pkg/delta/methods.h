/* delta/methods.h - the methods that apply a delta's body (FORMAT.md), one function each. apply.c calls them by number.
 *
 * Each reads the whole body from apply->input and writes the whole new file to apply->output.
 * Errors: as in delta.h. */
#pragma once

#include "delta/apply_state.h"

HF_MUST_USE int delta_apply_zstd(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_cm(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_lzma(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_runs(struct delta_apply_state *apply, struct hf_err *err);
