/* SPDX-License-Identifier: Apache-2.0 */
/* update/state/committed.h - the signed EdgeUpdate of the committed release, in the file
 * <state>/updates/<release>/committed.
 *
 * While the journal records a newer release that waits or was refused, this file lets the node repair the version that
 * it runs. The file is sealed (codec/seal.h). It contains the signatures of the EdgeUpdate. The engine checks the
 * signatures before it uses the content. Threads: any, but only one at a time for one release. */
#pragma once

#include "api/edgeupdate.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

/* Formats the file. `object` is the part of the EdgeUpdate that the journal also keeps (`kept` in update/release.h). */
HF_MUST_USE int hf_committed_format(const json_t *object, struct hf_buf *out);

/* Replaces the file durably by `text`, which hf_committed_format() has made. Writes nothing if the file has this text
 * already. Blocks. */
HF_MUST_USE int hf_committed_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text,
                                  struct hf_err *err);

/* Loads the file; blocks. The caller frees *ret_update with hf_edgeupdate_free(). -ENOENT: there is no file, or the
 * release in it has another digest. -EBADMSG: the file is damaged, and this call has renamed it to
 * `committed.damaged`. */
HF_MUST_USE int hf_committed_load(const struct hf_fs_ops *fs, const char *folder, const char *digest,
                                  struct hf_edgeupdate **ret_update, struct hf_err *err);
