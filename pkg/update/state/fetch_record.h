/* update/state/fetch_record.h - the progress of a download, in two sealed files of <state>/updates/<release>:
 *
 *   fetch      written durably from time to time, after a sync of the content; valid after a power cut
 *   fetch.now  overwritten in place with every piece and never synced, so that it causes no card writes of its own;
 *              valid after a kill -9 until the machine reboots (the file holds the kernel's boot id)
 *
 * Threads: any, one at a time; all functions with a file system block. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "loop/http/http.h"

struct hf_fetch_record {
    char key[128];   /* identity of the artifact (hf_fetch_params.key) */
    uint64_t offset; /* valid bytes of the content on disk; synced, unless the record is from fetch.now */
    uint64_t wire;   /* bytes received over the network for this release up to this record */
    bool complete;   /* the download is complete */
    bool packed;     /* the content starts like a .zst or .xz file */
    char boot[40];   /* in fetch.now, the boot id of the writer; otherwise "" */
    char etag[HF_HTTP_HEADER_VALUE];
    char last_modified[HF_HTTP_HEADER_VALUE];
};

/* Loads the record with the higher offset from the two files. If neither file has a valid record for `key`, returns an
 * empty record with this key. */
HF_MUST_USE int hf_fetch_record_load(const struct hf_fs_ops *fs, const char *folder, const char *key,
                                     struct hf_fetch_record *ret_record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_save(const struct hf_fs_ops *fs, const char *folder,
                                     const struct hf_fetch_record *record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_remove(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

/* Sets `boot` to the kernel's boot id, or to "" if unknown. */
void hf_fetch_record_boot(const struct hf_fs_ops *fs, char boot[40]);
/* Overwrites fetch.now, open as `fd`, without a sync. Set `shorter` if the new text may be shorter than the text in the
 * file; the file is then truncated first. */
HF_MUST_USE int hf_fetch_record_note(const struct hf_fs_ops *fs, int fd, const struct hf_fetch_record *record,
                                     bool shorter, struct hf_err *err);
/* Opens fetch.now for writing; creates the file and its folder. Returns the descriptor or -errno. */
HF_MUST_USE int hf_fetch_record_open(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

/* Pure. */
HF_MUST_USE int hf_fetch_record_format(const struct hf_fetch_record *record, struct hf_buf *out);
HF_MUST_USE int hf_fetch_record_parse(struct hf_view body, struct hf_fetch_record *ret_record);
