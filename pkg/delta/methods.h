/* SPDX-License-Identifier: Apache-2.0 */
/* delta/methods.h - the functions that apply a delta's body, one for each of the methods 1 to 4 (FORMAT.md). apply.c
 * chooses the function by the method's number, and handles method 5 itself.
 *
 * Each function reads the whole body from apply->input and writes the new file, from the resume point to the end, to
 * apply->output. delta.h lists the errors. */
#pragma once

#include "delta/apply_state.h"

HF_MUST_USE int delta_apply_zstd(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_cm(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_lzma(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_runs(struct delta_apply_state *apply, struct hf_err *err);
