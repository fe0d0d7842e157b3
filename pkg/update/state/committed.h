/* SPDX-License-Identifier: Apache-2.0 */
/* The committed release's signed EdgeUpdate, in the sealed file (codec/seal.h) <state>/updates/<release>/committed, for
 * repairs while the journal has a newer release that waits or was refused. Signatures are checked again before use.
 * Threads: any. */
#pragma once

#include <stdbool.h>

#include "api/edgeupdate.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

HF_MUST_USE int hf_committed_format(const json_t *object, struct hf_buf *out);
/* NULL: none, or an error. May block to read zoneinfo files. */
struct hf_edgeupdate *hf_committed_decode(json_t *object);

/* Writes `text` durably, unless the file has it. If the file has another release than `digest`, keeps that release as
 * the version before, and sets *ret_rotated. Blocks. */
HF_MUST_USE int hf_committed_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text,
                                  const char *digest, bool *ret_rotated, struct hf_err *err);

/* Loads the release with this digest; free it with hf_edgeupdate_free(). -ENOENT: no file, or another digest. -EBADMSG:
 * damaged, now `committed.damaged`. Blocks. */
HF_MUST_USE int hf_committed_load(const struct hf_fs_ops *fs, const char *folder, const char *digest,
                                  struct hf_edgeupdate **ret_update, struct hf_err *err);

/* Loads the version before, whatever its digest, from <state>/updates/<release>/previous. */
HF_MUST_USE int hf_committed_load_previous(const struct hf_fs_ops *fs, const char *folder,
                                           struct hf_edgeupdate **ret_update, struct hf_err *err);

/* Loads either file, whatever its digest, for programs other than the agent; leaves a damaged file. */
HF_MUST_USE int hf_committed_peek(const struct hf_fs_ops *fs, const char *folder, bool previous,
                                  struct hf_edgeupdate **ret_update, struct hf_err *err);
