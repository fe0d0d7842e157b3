/* SPDX-License-Identifier: Apache-2.0 */
/* A spool's folder that anything may have happened to: it is looked through, opened, read in order, written to and read again,
 * whatever its files hold. The input is a list of harms of eight bytes each, done to a folder of whole records: what, which file, where,
 * how much or what. */
#include <errno.h>
#include <stdio.h>

#include "base/endian.h"
#include "spool/crc32c.h"
#include "spool/look.h"
#include "spool/reader.h"
#include "spool/store.h"
#include "support/fakes/simfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { SEGMENT = 64 << 10, WRITES = 30, MAX_HARMS = 24, HARM_BYTES = 8, READ_MAX = 64 };

static const char *const files[] = {"/spool/0000000000000001.seg", "/spool/0000000000000025.seg", "/spool/cursor",
                                    "/spool/stream", "/spool/spare.seg"};

static uint64_t next_random(void *ctx)
{
    return ++*(uint64_t *)ctx * 0x9e3779b97f4a7c15u;
}

#define demand(what)                                                                                                   \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            (void)fprintf(stderr, "line %d: %s\n", __LINE__, #what);                                                   \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static struct hf_spool_store *open_store(struct hf_simfs *fs, struct hf_rand_ops *rng)
{
    struct hf_spool_store_params params = {
        .fs = hf_simfs_ops(fs), .rng = rng, .dir = "/spool", .segment_bytes = SEGMENT, .max_bytes = 64 * SEGMENT};
    struct hf_spool_store *store = NULL;

    demand(hf_spool_store_open(&params, &store, NULL) == 0);
    return store;
}

static uint64_t write_one(struct hf_spool_store *store, const char *text, size_t length)
{
    struct hf_spool_record record = {.tag = 9, .unix_ns = 1, .payload = {text, length}};
    size_t done;

    demand(hf_spool_store_write(store, &record, 1, &done, NULL) == 0 && done == 1);
    return record.sequence;
}

/* A whole record with a sequence of the harm's choice, where it says. */
static void plant(unsigned char *file, size_t size, size_t at, uint64_t sequence)
{
    struct hf_buf text = HF_BUF_INIT(4096);
    uint32_t salt = hf_le32(file + 12);
    struct hf_spool_record record = {.sequence = sequence, .payload = {"planted", 7}, .begins = sequence % 2 == 1};

    demand(hf_spool_record_format(&record, salt, &text) == 0);
    if (at + text.n <= size)
        memcpy(file + at, text.p, text.n);
    hf_buf_done(&text);
}

static void harm(struct hf_simfs *fs, const uint8_t *h)
{
    const char *path = files[h[1] % HF_LEN(files)];
    size_t size, at = ((size_t)h[2] << 8 | h[3]), length = (size_t)h[4] << 4;
    const unsigned char *old = hf_simfs_get(fs, path, &size);

    if (old == NULL || size == 0)
        return;
    unsigned char *file = malloc(size);
    demand(file != NULL);
    memcpy(file, old, size);
    at = HF_MIN(at, size - 1);
    length = HF_MIN(length, size - at);
    switch (h[0] % 7) {
    case 0:
        file[at] ^= h[5];
        break;
    case 1:
        memset(file + at, h[5], length);
        break;
    case 2:
        size = at;
        break;
    case 3:
        if (size > 64)
            plant(file, size, at / 8 * 8, (uint64_t)h[5] << 8 | h[6]);
        break;
    case 4: /* a header that is whole, with one field changed */
        if (size > 64) {
            file[8 + h[5] % 40] = h[6];
            hf_put_le32(file + 60, hf_crc32c(0, file, 60));
        }
        break;
    case 5: /* content moves */
        memmove(file + at, file + size - length - at % (size - length + 1), HF_MIN(length, size - at));
        break;
    default:
        hf_simfs_delete(fs, path);
        free(file);
        return;
    }
    hf_simfs_put(fs, path, file, size, 0600);
    free(file);
}

static int check_order(void *arg, const struct hf_spool_record *record, bool waiting)
{
    uint64_t *last = arg;

    (void)waiting;
    demand(record->sequence > *last);
    *last = record->sequence;
    return 0;
}

static void look(struct hf_simfs *fs)
{
    struct hf_spool_found found;
    uint64_t last = 0;

    if (hf_spool_look(hf_simfs_ops(fs), "/spool", check_order, &last, &found, NULL) == 0)
        demand(found.waiting <= found.records && found.last == last);
}

/* All from the cursor on, each once and in order; `wanted` must be among them. */
static void read_all(struct hf_simfs *fs, struct hf_spool_store *store, uint64_t wanted)
{
    static struct hf_spool_extent extents[HF_SPOOL_MAX_SEGMENTS];
    struct hf_spool_record records[READ_MAX];
    struct hf_spool_stats stats = hf_spool_store_stats(store);
    struct hf_spool_place place = {.next = stats.delivered + 1};
    struct hf_spool_read read = {.records = records, .max = READ_MAX, .bytes = HF_BUF_INIT(1 << 20)};
    uint64_t last = stats.delivered, found = 0;

    for (;;) {
        size_t n = hf_spool_store_extents(store, place.next, extents, HF_LEN(extents));
        demand(hf_spool_read_records(hf_simfs_ops(fs), "/spool", extents, n, stats.next - 1, &place, &read, NULL) == 0);
        for (size_t i = 0; i < read.n; i++) {
            demand(records[i].sequence > last);
            last = records[i].sequence;
            found += last == wanted && records[i].payload.n == 3;
        }
        if (read.n == 0)
            break;
    }
    hf_buf_done(&read.bytes);
    demand(found == 1);
    demand(place.next >= stats.next);
}

/* A spare segment, at once. */
static int prepare(struct hf_spool_store *store)
{
    struct hf_spool_spare spare;

    if (!hf_spool_store_spare_begin(store, &spare))
        return 0;
    int r = hf_spool_spare_make(&spare, NULL);
    hf_spool_store_spare_end(store, r);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_simfs *fs = hf_simfs_new();
    uint64_t random = 1;
    struct hf_rand_ops rng = {&random, next_random};
    char text[2500];

    memset(text, 'x', sizeof(text));
    struct hf_spool_store *store = open_store(fs, &rng);
    for (unsigned i = 0; i < WRITES * 2; i++)
        (void)write_one(store, text, 1000 + i * 20);
    demand(prepare(store) == 0 && hf_spool_store_deliver(store, 3, NULL) == 0);
    hf_spool_store_free(store);
    for (size_t i = 0; i + HARM_BYTES <= n && i < MAX_HARMS * HARM_BYTES; i += HARM_BYTES)
        harm(fs, bytes + i);
    look(fs);
    store = open_store(fs, &rng);
    uint64_t sequence = write_one(store, "new", 3);
    read_all(fs, store, sequence);
    hf_spool_store_free(store);
    look(fs);
    store = open_store(fs, &rng);
    read_all(fs, store, sequence);
    demand(hf_spool_store_deliver(store, sequence, NULL) == 0);
    hf_spool_store_free(store);
    hf_simfs_free(fs);
    return 0;
}
