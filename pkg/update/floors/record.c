/* SPDX-License-Identifier: Apache-2.0 */
/* A sealed file (codec/seal.h):
 *
 *     value <value of the counter>
 *     blob <sealed key in hex>
 *     floor ...                       (update/floors/book.h)
 *
 * The blob is hf_floor_record_key(), sealed by the node's TPM (tpm/chip.h). */
#include "update/floors/record.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "codec/seal.h"
#include "codec/state/sealed_file.h"
#include "update/install/floor_copy.h"

enum { FORMAT = 1, BLOB_MAX = 2048, FILES = 2 };

static const char kind[] = "floor-record";
static const char *const names[FILES] = {"floor-record.0", "floor-record.1"};

/* ---- text -------------------------------------------------------------------------------------------------------- */

int hf_floor_record_format(const struct hf_floor_record *record, struct hf_buf *out)
{
    size_t start = out->n, body;
    int r = hf_seal_begin(kind, FORMAT, out, &body);

    if (r == 0)
        r = hf_buf_addf(out, "value %" PRIu64 "\nblob ", record->value);
    if (r == 0)
        r = hf_buf_add(out, record->blob.p, record->blob.n);
    if (r == 0)
        r = hf_buf_add_str(out, "\n");
    if (r == 0 && record->floors.n > 0)
        r = hf_buf_add(out, record->floors.p, record->floors.n);
    if (r == 0)
        hf_seal_end(out, body, NULL);
    else
        out->n = start;
    return r;
}

int hf_floor_record_parse(struct hf_view text, struct hf_floor_record *ret_record, struct hf_err *err)
{
    struct hf_view body, line;
    char number[24];

    if (hf_seal_open(text, kind, FORMAT, &body, err) < 0)
        return -EBADMSG;
    if (!hf_seal_take(&body, "value", number, sizeof(number)) ||
        hf_parse_u64(number, 1, INT64_MAX, &ret_record->value) < 0 || !hf_view_split(&body, '\n', &line) ||
        !hf_view_starts(line, "blob ") || line.n > BLOB_MAX + 5)
        return hf_err_set(err, EBADMSG, "the record of the floors has an invalid line");
    ret_record->blob = (struct hf_view){line.p + 5, line.n - 5};
    ret_record->floors = body.p != NULL ? body : HF_VIEW("");
    return 0;
}

void hf_floor_record_key(uint64_t value, struct hf_view floors, unsigned char key[HF_FLOOR_RECORD_KEY])
{
    struct hf_sha256 hash;
    char head[64];
    int n = snprintf(head, sizeof(head), "holdfast %s %d\nvalue %" PRIu64 "\n", kind, FORMAT, value);

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, head, (size_t)n);
    hf_sha256_update(&hash, floors.p, floors.n);
    hf_sha256_final(&hash, key);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* The newest record that a search has found. */
struct record_search {
    const struct hf_floor_record_foreign *foreign;
    struct hf_buf *text;
    uint64_t value;
    bool among_copies; /* the search has come to the copies */
    int files, copies; /* numbers of files and of copies with this text */
};

void hf_floor_record_add_foreign(struct hf_floor_record_foreign *foreign, struct hf_view text)
{
    if (foreign->n < HF_FLOOR_RECORD_MAX_FOREIGN)
        hf_sha256_of(text.p, text.n, foreign->sha256[foreign->n++], HF_SHA256_BYTES);
}

static bool is_foreign(const struct hf_floor_record_foreign *foreign, struct hf_view text)
{
    unsigned char sha256[HF_SHA256_BYTES];

    hf_sha256_of(text.p, text.n, sha256, sizeof(sha256));
    for (unsigned i = 0; i < foreign->n; i++)
        if (memcmp(foreign->sha256[i], sha256, sizeof(sha256)) == 0)
            return true;
    return false;
}

static void count_place(struct record_search *search)
{
    *(search->among_copies ? &search->copies : &search->files) += 1;
}

static int keep_newest(void *arg, struct hf_view text, struct hf_err *err)
{
    struct record_search *search = arg;
    struct hf_floor_record record;
    int r = hf_floor_record_parse(text, &record, err);

    if (r < 0 || record.value < search->value || is_foreign(search->foreign, text))
        return r;
    if (record.value == search->value) {
        if (text.n == search->text->n && memcmp(text.p, search->text->p, text.n) == 0)
            count_place(search);
        return 0;
    }
    hf_buf_clear(search->text);
    search->value = 0;
    search->files = search->copies = 0;
    count_place(search);
    r = hf_buf_add(search->text, text.p, text.n);
    if (r < 0)
        return hf_err_sys(err, r, "keep the record of the floors");
    search->value = record.value;
    return 0;
}

static int read_file(const struct hf_fs_ops *fs, const char *state_dir, const char *name, struct record_search *search,
                     struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FLOOR_RECORD_MAX_BYTES);
    struct hf_view body;
    int r = hf_sealed_file_load(fs, state_dir, name, kind, FORMAT, &text, &body, err);

    return r < 0 ? r : keep_newest(search, hf_buf_view(&text), err);
}

static const char *copy_name(void)
{
    return "FloorRecord"; /* has capital letters, which no release name has */
}

/* What lies in a place does not count. Other errors leave open what lies there. */
static bool is_verdict(int r)
{
    static const int verdicts[] = {-EBADMSG, -EPERM, -EACCES, -ELOOP, -EINVAL, -ENOTDIR, -ENAMETOOLONG, -E2BIG};

    for (size_t i = 0; i < HF_LEN(verdicts); i++)
        if (r == verdicts[i])
            return true;
    return false;
}

/* Notes how the search in a place has ended. The error of a place that cannot be read goes before other errors. */
static void note_place(struct hf_floor_record_places *places, int r, const struct hf_err *place_err, struct hf_err *err)
{
    if (r >= 0 || r == -ENOENT)
        return;
    bool unread = !is_verdict(r);
    if (err != NULL && (unread || !places->unread))
        *err = *place_err;
    places->bad = true;
    places->unread = places->unread || unread;
}

int hf_floor_record_load(const struct hf_target *target, const char *state_dir,
                         const struct hf_floor_record_foreign *foreign, struct hf_buf *text,
                         struct hf_floor_record *ret_record, struct hf_floor_record_places *ret_places,
                         struct hf_err *err)
{
    struct record_search search = {.foreign = foreign, .text = text};
    struct hf_target copies = *target;
    struct hf_err place_err = HF_ERR_INIT;
    size_t roots = 0;
    int r;

    *ret_places = (struct hf_floor_record_places){.bad = false};
    for (int i = 0; i < FILES; i++) {
        r = read_file(target->fs, state_dir, names[i], &search, &place_err);
        note_place(ret_places, r, &place_err, err);
    }
    copies.release = copy_name();
    search.among_copies = true;
    for (; target->roots != NULL && target->roots[roots] != NULL; roots++) {
        const char *const root[] = {target->roots[roots], NULL};
        copies.roots = root;
        r = hf_floor_copy_read(&copies, HF_FLOOR_RECORD_MAX_BYTES, keep_newest, &search, &place_err);
        note_place(ret_places, r, &place_err, err);
    }
    ret_places->incomplete = search.files < FILES || (roots > 0 && search.copies == 0);
    if (search.value == 0)
        return -ENOENT;
    return hf_floor_record_parse(hf_buf_view(text), ret_record, err);
}

int hf_floor_record_save(const struct hf_fs_ops *fs, const char *state_dir, struct hf_view text, struct hf_err *err)
{
    int r = 0;

    for (int i = 0; i < FILES && r == 0; i++)
        r = hf_sealed_file_save(fs, state_dir, names[i], text, err);
    return r < 0 ? hf_err_wrap(err, r, "write the record of the floors") : 0;
}

int hf_floor_record_copy(const struct hf_target *target, struct hf_view text, struct hf_err *err)
{
    struct hf_target copy = *target;
    char path[PATH_MAX];
    int r = -ENOENT;

    if (target->roots == NULL || target->roots[0] == NULL)
        return 0;
    copy.release = copy_name();
    copy.path = path;
    for (size_t i = 0; target->roots[i] != NULL && r < 0; i++) {
        (void)snprintf(path, sizeof(path), "%s/x", target->roots[i]);
        r = hf_floor_copy_write(&copy, text, err);
    }
    return r;
}
