/* update/state/fetch_record.h - the progress of a download, in two sealed files of <state>/updates/<release>:
 *   fetch      written durably from time to time, after the content is synced: valid after a power cut
 *   fetch.now overwritten in place with every piece, never synced: valid after a kill -9, until the machine reboots (it
 *   holds the
 *              kernel's boot id); causes no card writes of its own
 *
 * Threads: any, one at a time; all functions with a file system block. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "loop/http/http.h"

struct hf_fetch_record {
    char key[128];   /* identity of the artifact */
    uint64_t offset; /* bytes on disk, synced */
    uint64_t wire;   /* bytes received for this release up to this record */
    bool complete;   /* the download is complete */
    bool packed;     /* the content starts as .zst or .xz files do */
    char boot[40];   /* fetch.now: boot id of the writer; else "" */
    char etag[HF_HTTP_HEADER_VALUE];
    char last_modified[HF_HTTP_HEADER_VALUE];
};

/* Loads the record with more bytes of the two. If none is valid for this key, gives an empty record. */
HF_MUST_USE int hf_fetch_record_load(const struct hf_fs_ops *fs, const char *folder, const char *key,
                                     struct hf_fetch_record *ret_record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_save(const struct hf_fs_ops *fs, const char *folder,
                                     const struct hf_fetch_record *record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_remove(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

/* Reads the kernel's boot id; "" if unknown. */
void hf_fetch_record_boot(const struct hf_fs_ops *fs, char boot[40]);
/* Overwrites fetch.now, open as `fd`, without a sync. `shorter`: truncate first, the text before may have been
 * longer. */
HF_MUST_USE int hf_fetch_record_note(const struct hf_fs_ops *fs, int fd, const struct hf_fetch_record *record,
                                     bool shorter, struct hf_err *err);
/* Opens fetch.now for writing; creates the file and its folder. Returns the descriptor. */
HF_MUST_USE int hf_fetch_record_open(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

/* Pure. */
HF_MUST_USE int hf_fetch_record_format(const struct hf_fetch_record *record, struct hf_buf *out);
HF_MUST_USE int hf_fetch_record_parse(struct hf_view body, struct hf_fetch_record *ret_record);
