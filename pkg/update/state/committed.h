/* SPDX-License-Identifier: Apache-2.0 */
/* The signed EdgeUpdate of the committed release, in the sealed file (codec/seal.h)
 * <state>/updates/<release>/committed: to repair the running version while the journal records a newer release that
 * waits or was refused. Its signatures are checked before use. Threads: any, one at a time for one release. */
#pragma once

#include <stdbool.h>

#include "api/edgeupdate.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

/* `object`: `kept` of update/release.h. Pure. */
HF_MUST_USE int hf_committed_format(const json_t *object, struct hf_buf *out);
/* The release of such an object; NULL: there is none, or it cannot be decoded. May block to read zoneinfo files. */
struct hf_edgeupdate *hf_committed_decode(json_t *object);

/* Durable; does not write a text that is there already. If the file has another release than `digest`, keeps it as the
 * version before, and then sets *ret_rotated. Blocks. */
HF_MUST_USE int hf_committed_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text,
                                  const char *digest, bool *ret_rotated, struct hf_err *err);

/* Free with hf_edgeupdate_free(). -ENOENT: no file, or another digest. -EBADMSG: damaged, and now `committed.damaged`.
 * Blocks. */
HF_MUST_USE int hf_committed_load(const struct hf_fs_ops *fs, const char *folder, const char *digest,
                                  struct hf_edgeupdate **ret_update, struct hf_err *err);

/* The release that was committed before, whatever its digest: <state>/updates/<release>/previous. As above. */
HF_MUST_USE int hf_committed_load_previous(const struct hf_fs_ops *fs, const char *folder,
                                           struct hf_edgeupdate **ret_update, struct hf_err *err);

/* Either file, whatever its digest, for others than the agent: a damaged one stays where it is. */
HF_MUST_USE int hf_committed_peek(const struct hf_fs_ops *fs, const char *folder, bool previous,
                                  struct hf_edgeupdate **ret_update, struct hf_err *err);
