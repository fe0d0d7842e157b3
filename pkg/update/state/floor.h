/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of one release name: the history of committed releases (update/rules/sequence.h), in two equal files.
 * Functions with `fs` block. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/state/record.h"
#include "update/rules/sequence.h"

enum { HF_FLOOR_MAX_BYTES = 4096 };

/* Loads the floor, or zero if there is none. *ret_damaged counts files that are damaged (renamed now) or unreadable.
 * Fails if one file cannot be read and the other is not good. */
HF_MUST_USE int hf_floor_load(const struct hf_fs_ops *fs, const char *folder, struct hf_sequence_history *ret_history,
                              unsigned *ret_damaged, struct hf_err *err);

/* Merges *history with the files; writes each that differs or cannot be read. */
HF_MUST_USE int hf_floor_save(const struct hf_fs_ops *fs, const char *folder, struct hf_sequence_history *history,
                              struct hf_err *err);

extern const struct hf_record_type hf_floor_type;
HF_MUST_USE int hf_floor_format(const struct hf_sequence_history *history, struct hf_buf *out);
HF_MUST_USE int hf_floor_parse(struct hf_view text, struct hf_sequence_history *ret_history, struct hf_err *err);
