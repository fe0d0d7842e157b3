/* SPDX-License-Identifier: Apache-2.0 */
/* update/state/committed.h - the signed EdgeUpdate of the committed release, in the sealed file (codec/seal.h)
 * <state>/updates/<release>/committed: to repair the version that runs while the journal records a newer release that
 * waits or was refused. The engine checks its signatures before use. Threads: any, one at a time for one release. */
#pragma once

#include "api/edgeupdate.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

/* `object`: the part of the EdgeUpdate that the journal keeps, too (`kept` in update/release.h). Pure. */
HF_MUST_USE int hf_committed_format(const json_t *object, struct hf_buf *out);

/* Durable; writes nothing if the file has this text of hf_committed_format() already. Blocks. */
HF_MUST_USE int hf_committed_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text,
                                  struct hf_err *err);

/* Free *ret_update with hf_edgeupdate_free(). -ENOENT: there is no file, or its release has another digest. -EBADMSG:
 * it was damaged, and is now `committed.damaged`. Blocks. */
HF_MUST_USE int hf_committed_load(const struct hf_fs_ops *fs, const char *folder, const char *digest,
                                  struct hf_edgeupdate **ret_update, struct hf_err *err);
