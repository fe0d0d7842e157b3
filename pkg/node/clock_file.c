/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clock_file.h"

#include <errno.h>

#define ROW(name_, member_) HF_RECORD_ROW(struct hf_clock_file, name_, member_)

static const struct hf_record_row rows[] = {
    ROW("signedUnixNs", signed_unix_ns),     ROW("syncedUnixNs", synced_unix_ns),
    ROW("agreedUnixNs", agreed_unix_ns),     ROW("trackUnixNs", track_unix_ns),
    ROW("contactUnixNs", contact_unix_ns),   ROW("holdBeganUnixNs", hold_began_unix_ns),
    ROW("agreedAgeNs", agreed_age_ns),       ROW("contactAgeNs", contact_age_ns),
    ROW("contactLimitNs", contact_limit_ns), HF_RECORD_ROW_OF(HF_RECORD_SIGNED, struct hf_clock_file, "hold", hold_id),
    ROW("holdAgeNs", hold_age_ns),           ROW("boot", boot),
    ROW("savedBootNs", saved_mono_ns),       ROW("contactBootNs", contact_mono_ns),
};

const struct hf_record_type hf_clock_file_type = {.name = "clock",
                                                  .version = 3,
                                                  .size = sizeof(struct hf_clock_file),
                                                  .max_bytes = HF_CLOCK_FILE_MAX,
                                                  .rows = HF_RECORD_ROWS(rows)};

int hf_clock_file_format(const struct hf_clock_file *file, struct hf_buf *out)
{
    struct hf_clock_file written = *file;

    if (file->boot[0] == '\0') /* times of a boot that nobody can recognize */
        written.saved_mono_ns = written.contact_mono_ns = 0;
    return hf_record_format(&hf_clock_file_type, &written, out);
}

int hf_clock_file_parse(struct hf_view text, struct hf_clock_file *ret_file, struct hf_err *err)
{
    struct hf_clock_file file;
    int r = hf_record_parse(&hf_clock_file_type, text, &file, err);

    if (r == 0)
        *ret_file = file;
    return r == -EOPNOTSUPP ? -EBADMSG : r;
}
