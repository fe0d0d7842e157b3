/* SPDX-License-Identifier: Apache-2.0 */
/* One slice of a measurement of the spool (hack/bench.d/spool runs them in turn):
 *
 *     spool-bench append DIR IN_FLIGHT MILLISECONDS   append + fdatasync, one each per batch, nothing else
 *     spool-bench raw DIR IN_FLIGHT MILLISECONDS      the same into a preallocated file: the physical limit
 *     spool-bench spool DIR IN_FLIGHT MILLISECONDS    durable appends to the spool on the real loop, so many in flight
 *     spool-bench fill DIR BYTES                      a backlog of that size
 *     spool-bench open DIR                            opening it
 *
 * Prints {"records": N, "wall_ns": N, "cpu_ns": N}. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/parse.h"
#include "loop/loop.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "os/rand_posix.h"
#include "spool/crc32c.h"
#include "spool/spool.h"

enum { RECORD = 256, SEGMENT = 8 << 20, MAX_IN_FLIGHT = 4096 };

struct figures {
    uint64_t records, wall_ns, cpu_ns;
};

static uint64_t mono_ns(void)
{
    return hf_mono_ns(hf_clock_posix());
}

static uint64_t cpu_ns(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * HF_NS_PER_S +
           ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * HF_NS_PER_US;
}

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

/* One pwrite and one fdatasync per batch, into a file that is preallocated or grows to the size of a segment. */
static struct figures raw(const char *dir, unsigned in_flight, uint64_t ns, bool grows)
{
    static unsigned char batch[MAX_IN_FLIGHT * RECORD];
    struct figures figures = {0};
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/raw", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path);
    for (off_t at = 0; !grows && at < SEGMENT; at += (off_t)sizeof(batch))
        if (pwrite(fd, batch, sizeof(batch), at) < 0)
            die(path);
    if (fsync(fd) < 0)
        die(path);
    uint64_t began = mono_ns(), cpu = cpu_ns(), n = (uint64_t)in_flight * RECORD;
    off_t at = 0;
    while (mono_ns() - began < ns) {
        for (unsigned i = 0; i < in_flight; i++) {
            memset(batch + (size_t)i * RECORD, (int)(figures.records + i), RECORD - 4);
            uint32_t crc = hf_crc32c(0, batch + (size_t)i * RECORD, RECORD - 4);
            memcpy(batch + (size_t)i * RECORD + RECORD - 4, &crc, 4);
        }
        if (pwrite(fd, batch, n, at) != (ssize_t)n || fdatasync(fd) < 0)
            die(path);
        figures.records += in_flight;
        at += (off_t)n;
        if (at + (off_t)n > SEGMENT) {
            at = 0;
            if (grows && ftruncate(fd, 0) < 0)
                die(path);
        }
    }
    figures.wall_ns = mono_ns() - began;
    figures.cpu_ns = cpu_ns() - cpu;
    (void)close(fd);
    (void)unlink(path);
    return figures;
}

struct run {
    struct hf_loop *loop;
    struct hf_spool *spool;
    struct figures figures;
    uint64_t until, last;
    unsigned waiting, in_flight;
    bool failed, over;
};

static void again(void *arg, int r, uint64_t sequence);

static void append(struct run *run)
{
    unsigned char record[RECORD];

    memset(record, (int)run->figures.records, sizeof(record));
    if (hf_spool_append(run->spool, 1, (struct hf_view){(char *)record, sizeof(record) - 32}, again, run) < 0)
        run->failed = true;
    else
        run->waiting++;
}

static void again(void *arg, int r, uint64_t sequence)
{
    struct run *run = arg;

    run->waiting--;
    run->failed |= r < 0;
    run->figures.records += r == 0;
    run->last = HF_MAX(run->last, sequence);
    if (sequence % 4096 == 0)
        hf_spool_deliver(run->spool, sequence);
    if (sequence % run->in_flight == 0) /* as often as raw() looks */
        run->over |= mono_ns() >= run->until;
    if (!run->failed && !run->over)
        append(run);
    else if (run->waiting == 0)
        hf_loop_stop(run->loop);
}

static struct figures spool(const char *dir, unsigned in_flight, uint64_t ns)
{
    char path[512];
    struct hf_err err = HF_ERR_INIT;
    struct run run = {.loop = hf_loop_new(&err), .in_flight = in_flight};

    (void)snprintf(path, sizeof(path), "%s/spool", dir);
    struct hf_spool_params params = {
        .store = {.fs = hf_fs_posix(), .rng = hf_rand_posix(), .dir = path, .max_bytes = 256 << 20},
        .inline_below_ns = HF_NS_PER_MS / 2,
        .clock = hf_clock_posix(),
        .sched = run.loop != NULL ? hf_loop_sched(run.loop) : NULL,
    };
    if (run.loop == NULL || hf_spool_new(&params, &run.spool, &err) < 0) {
        (void)fprintf(stderr, "%s: %s\n", err.where, err.cause);
        exit(EXIT_FAILURE);
    }
    uint64_t began = mono_ns(), cpu = cpu_ns();
    run.until = began + ns;
    for (unsigned i = 0; i < in_flight; i++)
        append(&run);
    hf_loop_run(run.loop);
    run.figures.wall_ns = mono_ns() - began;
    run.figures.cpu_ns = cpu_ns() - cpu;
    hf_spool_deliver(run.spool, run.last);
    hf_spool_free(run.spool);
    hf_loop_free(run.loop);
    if (run.failed) {
        (void)fprintf(stderr, "an append failed\n");
        exit(EXIT_FAILURE);
    }
    return run.figures;
}

static struct figures opened(const char *dir)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_spool *spool = NULL;
    struct hf_loop *loop = hf_loop_new(&err);
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/spool", dir);
    struct hf_spool_params params = {
        .store = {.fs = hf_fs_posix(), .rng = hf_rand_posix(), .dir = path, .max_bytes = 2ull << 30},
        .clock = hf_clock_posix(),
        .sched = loop != NULL ? hf_loop_sched(loop) : NULL,
    };
    uint64_t began = mono_ns(), cpu = cpu_ns();
    if (loop == NULL || hf_spool_new(&params, &spool, &err) < 0) {
        (void)fprintf(stderr, "%s: %s\n", err.where, err.cause);
        exit(EXIT_FAILURE);
    }
    struct figures figures = {hf_spool_state(spool).queued, mono_ns() - began, cpu_ns() - cpu};
    hf_spool_free(spool);
    hf_loop_free(loop);
    return figures;
}

/* Straight into the store, in large writes. */
static struct figures filled(const char *dir, uint64_t bytes)
{
    static struct hf_spool_record records[512];
    static char payload[1024 - 32];
    struct hf_spool_store *store = NULL;
    struct hf_err err = HF_ERR_INIT;
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/spool", dir);
    struct hf_spool_store_params params = {
        .fs = hf_fs_posix(), .rng = hf_rand_posix(), .dir = path, .max_bytes = 2ull << 30};
    uint64_t began = mono_ns(), cpu = cpu_ns();
    int r = hf_spool_store_open(&params, &store, &err);
    memset(payload, 'x', sizeof(payload));
    for (uint64_t done = 0; r == 0 && done < bytes; done += sizeof(records) / sizeof(*records) * 1024) {
        size_t stored;
        for (size_t i = 0; i < HF_LEN(records); i++)
            records[i] = (struct hf_spool_record){.tag = 9, .unix_ns = 1, .payload = {payload, sizeof(payload)}};
        r = hf_spool_store_write(store, records, HF_LEN(records), &stored, &err);
    }
    if (r < 0) {
        (void)fprintf(stderr, "%s: %s\n", err.where, err.cause);
        exit(EXIT_FAILURE);
    }
    struct figures figures = {hf_spool_store_stats(store).next - 1, mono_ns() - began, cpu_ns() - cpu};
    hf_spool_store_free(store);
    return figures;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    struct figures figures;
    uint64_t n = 0, ms = 0;
    bool grows = strcmp(what, "append") == 0;
    bool timed = grows || strcmp(what, "raw") == 0 || strcmp(what, "spool") == 0, fill = strcmp(what, "fill") == 0;
    bool good = timed ? argc == 5 && hf_parse_u64(argv[3], 1, MAX_IN_FLIGHT, &n) == 0 &&
                            hf_parse_u64(argv[4], 1, 600000, &ms) == 0
                : fill ? argc == 4 && hf_parse_u64(argv[3], 1, 1ull << 31, &n) == 0
                       : argc == 3 && strcmp(what, "open") == 0;

    if (!good) {
        (void)fprintf(stderr,
                      "usage: spool-bench append|raw|spool DIR IN_FLIGHT MILLISECONDS | fill DIR BYTES | open DIR\n");
        return 2;
    }
    if (timed && what[0] == 's')
        figures = spool(argv[2], (unsigned)n, ms * HF_NS_PER_MS);
    else if (timed)
        figures = raw(argv[2], (unsigned)n, ms * HF_NS_PER_MS, grows);
    else
        figures = fill ? filled(argv[2], n) : opened(argv[2]);
    (void)printf("{\"records\": %" PRIu64 ", \"wall_ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64 "}\n", figures.records,
                 figures.wall_ns, figures.cpu_ns);
    return 0;
}
