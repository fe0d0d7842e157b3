/* SPDX-License-Identifier: Apache-2.0 */
/* steps/fetch_record.h - the progress of a download, in two sealed files of <state>/updates/<release>:
 *
 *   fetch      valid after a power cut: written durably from time to time, after a sync of the downloaded content
 *   fetch.now  valid after a kill -9 until the machine reboots (the file holds the kernel's boot id): overwritten in
 *              place after every write of content; never synced, so that it forces no write to flash storage
 *
 * Threads: any, but one at a time for one release; all functions with the argument `fs` block. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "codec/state/record.h"
#include "loop/http/http.h"

struct hf_fetch_record {
    char key[128]; /* identity of the artifact, from hf_fetch_params.key */
    /* number of valid bytes of the content on disk; these bytes are synced unless the record is from fetch.now */
    uint64_t offset;
    uint64_t synced; /* set by hf_fetch_record_load(): how many of them are synced; not in the files */
    /* number of bytes that this node had received for this release (hf_fetch_params.wire_bytes and .moved) when the
     * record was written */
    uint64_t wire;
    bool complete; /* true if the download is complete */
    bool packed;   /* true if the content begins with the magic bytes of a .zst or .xz file */
    char boot[40]; /* in fetch.now, the boot id of the writer; otherwise "" */
    char etag[HF_HTTP_HEADER_VALUE];
    char last_modified[HF_HTTP_HEADER_VALUE];
};

/* Loads the records of both files, and returns the record with the higher offset. If neither file has a valid record
 * for `key`, returns an empty record with this key. */
HF_MUST_USE int hf_fetch_record_load(const struct hf_fs_ops *fs, const char *folder, const char *key,
                                     struct hf_fetch_record *ret_record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_save(const struct hf_fs_ops *fs, const char *folder,
                                     const struct hf_fetch_record *record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_remove(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

/* Sets `boot` to the kernel's boot id, or to "" if unknown. */
void hf_fetch_record_boot(const struct hf_fs_ops *fs, char boot[40]);
/* Overwrites the file fetch.now, open as `fd`, without a sync. Pass true as `shorter` if the new text may be shorter
 * than the text in the file; the function then truncates the file first. */
HF_MUST_USE int hf_fetch_record_note(const struct hf_fs_ops *fs, int fd, const struct hf_fetch_record *record,
                                     bool shorter, struct hf_err *err);
/* Opens the file fetch.now for writing, and creates the file and its folder if they are missing. Returns the descriptor
 * or -errno. */
HF_MUST_USE int hf_fetch_record_open(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

extern const struct hf_record_type hf_fetch_record_type; /* of both files */
