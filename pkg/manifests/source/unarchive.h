/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/unarchive.h - makes a bundle of a .tar.gz of untrusted origin that arrives in pieces.
 *
 * The functions drop members outside `sub_path`. Inside `sub_path`, the archive may have only folders and regular
 * files. All members must obey the rules of pack/tar/tar_read.h: no "..", no absolute names, no devices, no sparse
 * files. The archive must be complete: it must have the end mark of tar, and at most HF_UNARCHIVE_MAX_TAIL zero bytes
 * may follow. Archives of GitHub and GitLab begin with a global header in which git writes the commit. If such an
 * archive has all its members in one top folder, the functions can remove this folder from the paths (drop_top).
 *
 * Memory: the files of the bundle, and about 200 KiB. The functions stop as soon as a limit is exceeded. They may use
 * the processor for seconds, so call them in jobs or command-line programs. Threads: one at a time for one struct. */
#pragma once

#include "manifests/source/bundle.h"
#include "manifests/source/failure.h"

enum {
    HF_UNARCHIVE_MAX_OUT = 256 << 20, /* maximum number of bytes of the decompressed archive */
    HF_UNARCHIVE_MAX_TAIL = 1 << 20,  /* maximum number of zero bytes after the end of the tar archive */
};

struct hf_unarchive_params {
    const char *sub_path; /* folder or file in the archive to extract; NULL or "" for everything */
    /* true to remove the top folder of an archive that git made; false for an artifact of Flux, which has none */
    bool drop_top;
};

struct hf_unarchive;
/* Copies `params`. Returns NULL if memory runs out. */
struct hf_unarchive *hf_unarchive_new(const struct hf_unarchive_params *params);
void hf_unarchive_free(struct hf_unarchive *unarchive);
HF_DEFINE_CLEANUP(struct hf_unarchive, hf_unarchive_free)

/* Processes the next n bytes of the archive. Returns 0, or -errno with one of these reasons in *failure: SourceInvalid,
 * SourceTooLarge, or SourceUnreachable if memory runs out. After an error, further calls fail. */
HF_MUST_USE int hf_unarchive_feed(struct hf_unarchive *unarchive, const void *bytes, size_t n,
                                  struct hf_source_failure *failure);
/* Call this function after the last bytes. On success, sets *ret_bundle to the sealed bundle, which the caller owns.
 * Fails with the reasons of hf_unarchive_feed(), with SourceTruncated if the end is missing, and with SourceEmpty if
 * the archive has no bytes or no file below `sub_path`. */
HF_MUST_USE int hf_unarchive_finish(struct hf_unarchive *unarchive, struct hf_bundle **ret_bundle,
                                    struct hf_source_failure *failure);
