/* update/state/fetch_record.h - how far a download is good, in two sealed files of <state>/updates/<release>:
 *   fetch      written durably now and then, after the content was synced: holds after a power cut
 *   fetch.now  overwritten in place with every piece, never synced: holds after a kill -9, that is, while the machine has not
 *              been started anew since (the kernel's boot id says so). It costs no card writes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "loop/http/http.h"

struct hf_fetch_record {
    char key[128];   /* of the artifact; a record of another one is of no use */
    uint64_t offset; /* bytes that are on disk, synced */
    uint64_t wire;   /* bytes that came over the wire for this release until then */
    bool complete;   /* and nothing is missing */
    bool packed;     /* it begins as .zst or .xz do */
    char boot[40];   /* fetch.now: the boot in which it was written; else "" */
    char etag[HF_HTTP_HEADER_VALUE];
    char last_modified[HF_HTTP_HEADER_VALUE];
};

/* The better of the two; an empty record when there is none, only damaged ones, or one of another key. */
HF_MUST_USE int hf_fetch_record_load(const struct hf_fs_ops *fs, const char *folder, const char *key,
                                     struct hf_fetch_record *ret_record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_save(const struct hf_fs_ops *fs, const char *folder,
                                     const struct hf_fetch_record *record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_remove(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

/* This boot's id; "" when the kernel does not tell. */
void hf_fetch_record_boot(const struct hf_fs_ops *fs, char boot[40]);
/* Overwrite fetch.now, open as `fd`; with `shorter`, what was there may have been longer. Not synced. */
HF_MUST_USE int hf_fetch_record_note(const struct hf_fs_ops *fs, int fd, const struct hf_fetch_record *record,
                                     bool shorter, struct hf_err *err);
/* Open fetch.now for that, making it and its folder. */
HF_MUST_USE int hf_fetch_record_open(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

/* Pure halves. */
HF_MUST_USE int hf_fetch_record_format(const struct hf_fetch_record *record, struct hf_buf *out);
HF_MUST_USE int hf_fetch_record_parse(struct hf_view body, struct hf_fetch_record *ret_record);
