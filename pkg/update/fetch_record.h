/* update/fetch_record.h - how far a download is good: the sealed file <state>/updates/<release>/fetch. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "loop/http.h"

struct hf_fetch_record {
    char key[128];   /* of the artifact; a record of another one is of no use */
    uint64_t offset; /* bytes that are on disk, synced */
    bool complete;   /* and nothing is missing */
    bool packed;     /* it begins as .zst or .xz do */
    char etag[HF_HTTP_HEADER_VALUE];
    char last_modified[HF_HTTP_HEADER_VALUE];
};

/* An empty record when there is none, a damaged one (set aside), or one of another key. */
HF_MUST_USE int hf_fetch_record_load(const struct hf_fs_ops *fs, const char *folder, const char *key,
                                     struct hf_fetch_record *ret_record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_save(const struct hf_fs_ops *fs, const char *folder,
                                     const struct hf_fetch_record *record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_remove(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

/* Pure halves. */
HF_MUST_USE int hf_fetch_record_format(const struct hf_fetch_record *record, struct hf_buf *out);
HF_MUST_USE int hf_fetch_record_parse(struct hf_view body, struct hf_fetch_record *ret_record);
