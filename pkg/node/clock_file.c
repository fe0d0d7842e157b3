/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clock_file.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/macros.h"
#include "base/parse.h"
#include "codec/json.h"

static const struct {
    const char *key;
    size_t slot;
} fields[] = {
    {"signed", offsetof(struct hf_clock_file, signed_unix_ns)},
    {"synced", offsetof(struct hf_clock_file, synced_unix_ns)},
    {"agreed", offsetof(struct hf_clock_file, agreed_unix_ns)},
    {"track", offsetof(struct hf_clock_file, track_unix_ns)},
    {"contact", offsetof(struct hf_clock_file, contact_unix_ns)},
    {"holdBegan", offsetof(struct hf_clock_file, hold_began_unix_ns)},
};

static uint64_t round_up(uint64_t ns)
{
    return ns + (ns % HF_NS_PER_S != 0 ? HF_NS_PER_S : 0);
}

static int add_seconds(struct hf_buf *out, const char *key, uint64_t ns)
{
    return ns < HF_NS_PER_S ? 0 : hf_buf_addf(out, ",\"%s\":%llu", key, (unsigned long long)(ns / HF_NS_PER_S));
}

int hf_clock_file_format(const struct hf_clock_file *file, struct hf_buf *out)
{
    char time[HF_TIME_TEXT];
    int r = hf_buf_add_str(out, "{\"format\":2");

    for (size_t i = 0; r == 0 && i < HF_LEN(fields); i++) {
        uint64_t unix_ns = *(const uint64_t *)((const char *)file + fields[i].slot);
        if (unix_ns != 0)
            r = hf_buf_addf(out, ",\"%s\":\"%s\"", fields[i].key, hf_format_time(unix_ns, time));
    }
    if (r == 0)
        r = add_seconds(out, "agreedAgeSeconds", round_up(file->agreed_age_ns));
    if (r == 0)
        r = add_seconds(out, "contactAgeSeconds", round_up(file->contact_age_ns));
    if (r == 0)
        r = add_seconds(out, "contactLimitSeconds", round_up(file->contact_limit_ns));
    if (r == 0 && file->hold_id != 0)
        r = hf_buf_addf(out, ",\"hold\":\"%016llx\"", (unsigned long long)file->hold_id);
    if (r == 0)
        r = add_seconds(out, "holdAgeSeconds", file->hold_age_ns);
    if (r == 0 && file->boot[0] != '\0') {
        r = hf_buf_addf(out, ",\"boot\":\"%s\"", file->boot);
        if (r == 0)
            r = add_seconds(out, "savedBootSeconds", file->saved_mono_ns);
        if (r == 0)
            r = add_seconds(out, "contactBootSeconds", file->contact_mono_ns);
    }
    return r == 0 ? hf_buf_add_str(out, "}\n") : r;
}

/* Returns the seconds of a key as nanoseconds; 0 if the key is absent or out of range. */
static uint64_t seconds_at(const json_t *root, const char *key)
{
    int64_t s = hf_json_int_or(root, key, 0);

    return s > 0 && s < (int64_t)(UINT64_MAX / 2 / HF_NS_PER_S) ? (uint64_t)s * HF_NS_PER_S : 0;
}

/* Only the form of a boot id goes back into the file. */
static void take_boot(const json_t *root, struct hf_clock_file *file)
{
    const char *boot = hf_json_str_or(root, "boot", "");
    size_t n = strlen(boot);

    if (n < sizeof(file->boot) && strspn(boot, "0123456789abcdef-") == n)
        (void)snprintf(file->boot, sizeof(file->boot), "%s", boot);
    file->contact_mono_ns = seconds_at(root, "contactBootSeconds");
    file->saved_mono_ns = seconds_at(root, "savedBootSeconds");
    file->contact_age_ns = seconds_at(root, "contactAgeSeconds");
    file->contact_limit_ns = seconds_at(root, "contactLimitSeconds");
}

static void take_hold(const json_t *root, struct hf_clock_file *file)
{
    const char *id = hf_json_str_or(root, "hold", "");

    if (strlen(id) == 16 && strspn(id, "0123456789abcdef") == 16)
        file->hold_id = strtoull(id, NULL, 16);
    file->hold_age_ns = seconds_at(root, "holdAgeSeconds");
}

static int time_at(const json_t *root, const char *key, uint64_t *ret_unix_ns)
{
    const char *text = hf_json_str(root, key);

    return text == NULL ? 0 : hf_parse_time(text, ret_unix_ns);
}

static int read_all(const json_t *root, struct hf_clock_file *file)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < HF_LEN(fields); i++)
        r = time_at(root, fields[i].key, (uint64_t *)((char *)file + fields[i].slot));
    return r;
}

int hf_clock_file_parse(struct hf_view text, struct hf_clock_file *ret_file, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *root = NULL;
    struct hf_clock_file file = {0};
    int r = hf_json_parse(text, NULL, &root, err);

    if (r < 0)
        return r;
    if (hf_json_int_or(root, "format", 0) != 2)
        return hf_err_set(err, EBADMSG, "unknown format of the clock file");
    r = read_all(root, &file);
    if (r < 0)
        return hf_err_set(err, EBADMSG, "a time in the clock file is not an RFC 3339 date");
    file.agreed_age_ns = seconds_at(root, "agreedAgeSeconds");
    take_boot(root, &file);
    take_hold(root, &file);
    *ret_file = file;
    return 0;
}
