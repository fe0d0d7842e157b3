/* Durable appends per second: the spool on the real loop beside a plain program that appends the same bytes and calls
 * fdatasync once per batch, in turn, on the same folder.
 *
 *     spool-bench DIR IN_FLIGHT SECONDS
 *
 * Prints one line: in flight, raw records/s, spool records/s, ratio, and the CPU microseconds each spends per record. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/parse.h"
#include "loop/loop.h"
#include "os/fs_posix.h"
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

/* The physical limit: a preallocated file, one pwrite and one fdatasync per batch. */
static struct figures raw(const char *dir, unsigned in_flight, uint64_t ns)
{
    static unsigned char batch[MAX_IN_FLIGHT * RECORD];
    struct figures figures = {0};
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/raw", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path);
    for (off_t at = 0; at < SEGMENT; at += (off_t)sizeof(batch))
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
        if (at + (off_t)n > SEGMENT)
            at = 0;
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
    unsigned waiting;
    bool failed;
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
    if (!run->failed && mono_ns() < run->until)
        append(run);
    else if (run->waiting == 0)
        hf_loop_stop(run->loop);
}

static struct figures spool(const char *dir, unsigned in_flight, uint64_t ns)
{
    char path[512];
    struct hf_err err = HF_ERR_INIT;
    struct run run = {.loop = hf_loop_new(&err)};

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

static double per_s(const struct figures *f)
{
    return (double)f->records * 1e9 / (double)f->wall_ns;
}

static double cpu_us(const struct figures *f)
{
    return (double)f->cpu_ns / 1000 / (double)HF_MAX(f->records, (uint64_t)1);
}

int main(int argc, char **argv)
{
    uint64_t in_flight, seconds;
    struct figures a = {0}, b = {0};

    if (argc != 4 || hf_parse_u64(argv[2], 1, MAX_IN_FLIGHT, &in_flight) < 0 ||
        hf_parse_u64(argv[3], 1, 600, &seconds) < 0) {
        (void)fprintf(stderr, "usage: spool-bench DIR IN_FLIGHT SECONDS\n");
        return 2;
    }
    /* In slices, in turn: what else the machine does meanwhile hits both alike. */
    for (uint64_t slice = 0; slice < seconds * 2; slice++) {
        struct figures x = raw(argv[1], (unsigned)in_flight, HF_NS_PER_S / 4),
                       y = spool(argv[1], (unsigned)in_flight, HF_NS_PER_S / 4);
        a = (struct figures){a.records + x.records, a.wall_ns + x.wall_ns, a.cpu_ns + x.cpu_ns};
        b = (struct figures){b.records + y.records, b.wall_ns + y.wall_ns, b.cpu_ns + y.cpu_ns};
    }
    (void)printf("%5" PRIu64 " in flight: raw %9.0f/s  spool %9.0f/s  ratio %.2f  cpu %.2f / %.2f us\n", in_flight,
                 per_s(&a), per_s(&b), per_s(&b) / per_s(&a), cpu_us(&a), cpu_us(&b));
    return 0;
}
