/* SPDX-License-Identifier: Apache-2.0 */
/* Apply the bodies of methods 1 to 4 (FORMAT.md) from the resume point. Errors: delta.h. */
#pragma once

#include "delta/apply_state.h"

HF_MUST_USE int delta_apply_zstd(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_cm(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_lzma(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_runs(struct delta_apply_state *apply, struct hf_err *err);
