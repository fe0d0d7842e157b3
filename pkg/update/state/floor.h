/* SPDX-License-Identifier: Apache-2.0 */
/* update/state/floor.h - keeps the floor of one release name on disk: the history of the releases of this name that the
 * node has committed (update/rules/sequence.h).
 *
 * Two files (codec/state/record.h), <folder>/floor.0 and floor.1, hold the same text, and a load merges them, so that
 * one damaged block of the disk does not make the node accept an old release. The engine raises the floor only at the
 * commit, because the node must be able to restore the old version until then. Further copies are outside the state
 * folder (update/install/floor_copy.h). All functions with the argument `fs` block. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/state/record.h"
#include "update/rules/sequence.h"

enum { HF_FLOOR_MAX_BYTES = 4096 };

/* *ret_history is zero if this node has committed nothing. *ret_damaged: files that are damaged, which are renamed, or
 * that cannot be read, which stay. Fails if one cannot be read and the other is not good. */
HF_MUST_USE int hf_floor_load(const struct hf_fs_ops *fs, const char *folder, struct hf_sequence_history *ret_history,
                              unsigned *ret_damaged, struct hf_err *err);

/* Merges *history with the files, and writes each file that has other content or cannot be read. */
HF_MUST_USE int hf_floor_save(const struct hf_fs_ops *fs, const char *folder, struct hf_sequence_history *history,
                              struct hf_err *err);

/* Text of a file or a copy. -EBADMSG: the text is damaged or has another version. Pure. */
extern const struct hf_record_type hf_floor_type;
HF_MUST_USE int hf_floor_format(const struct hf_sequence_history *history, struct hf_buf *out);
HF_MUST_USE int hf_floor_parse(struct hf_view text, struct hf_sequence_history *ret_history, struct hf_err *err);
