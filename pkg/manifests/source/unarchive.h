/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a bundle of a .tar.gz of untrusted origin that arrives in pieces.
 *
 * Members outside `sub_path` are dropped; those that may be inside must be folders or regular files. All must obey
 * pack/tar/tar_read.h. A block of zeros must end the archive, with at most HF_UNARCHIVE_MAX_TAIL zero bytes after it.
 *
 * Memory: the files, and about 200 KiB. Takes seconds: call it in jobs. */
#pragma once

#include "manifests/source/bundle.h"
#include "manifests/source/failure.h"

enum {
    HF_UNARCHIVE_MAX_TAIL = 1 << 20,
};

struct hf_unarchive_params {
    const char *sub_path; /* NULL or "": everything */
    /* drop the only top folder of an archive that git made (a global header names the commit) */
    bool drop_top;
};

struct hf_unarchive;
struct hf_unarchive *hf_unarchive_new(const struct hf_unarchive_params *params);
void hf_unarchive_free(struct hf_unarchive *unarchive);
HF_DEFINE_CLEANUP(struct hf_unarchive, hf_unarchive_free)

/* Fails with SourceInvalid, SourceTooLarge, or SourceUnreachable (no memory); free it then. */
HF_MUST_USE int hf_unarchive_feed(struct hf_unarchive *unarchive, const void *bytes, size_t n,
                                  struct hf_source_failure *failure);
/* Makes the sealed bundle. Fails also with SourceTruncated (no end), or SourceEmpty (no bytes, or no file below
 * `sub_path`). */
HF_MUST_USE int hf_unarchive_finish(struct hf_unarchive *unarchive, struct hf_bundle **ret_bundle,
                                    struct hf_source_failure *failure);
