/* What applying meets on a node: kill -9 at any moment, and patches with any byte wrong.
 *
 * HF_KILLS=200 kills so often in each profile (10 otherwise). HF_CORRUPT=1 tries all 255 other values of every byte, and
 * every length, of a patch of some 2 kB. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "delta/delta.h"
#include "delta/wire.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/draw.h"
#include "support/elf_make.h"
#include "support/wrong_byte.h"

enum { BLOCK = 4 << 20 };

#define BUF HF_BUF_INIT(16 << 20)

static void add(struct hf_buf *buf, const void *bytes, size_t n)
{
    ck_assert_int_eq(hf_buf_add(buf, bytes, n), 0);
}

static struct hf_buf text(size_t n)
{
    struct hf_buf b = BUF;

    while (b.n < n) {
        char line[80];
        int length = snprintf(line, sizeof(line), "item %u.%u: %u;\n", draw() % 977, draw() % 13, draw() % 100000);
        add(&b, line, (size_t)length);
    }
    b.n = n;
    return b;
}

/* Every `step` bytes a part of a dozen bytes is replaced by digits, a little more of them. */
static struct hf_buf edited(const struct hf_buf *from, size_t step)
{
    struct hf_buf b = BUF;

    for (size_t at = 0; at < from->n; at += step) {
        unsigned char other[20];
        size_t n = HF_MIN(step, from->n - at), skip = HF_MIN(n, (size_t)12);
        for (size_t i = 0; i < sizeof(other); i++)
            other[i] = (unsigned char)('0' + draw() % 10);
        add(&b, other, 8 + draw() % 12);
        add(&b, from->p + at + skip, n - skip);
    }
    return b;
}

/* By the method that the profile has its name from. */
static struct hf_buf make(const struct hf_buf *old, const struct hf_buf *new_bytes, enum hf_delta_profile profile)
{
    struct hf_delta_create_params params = {.profile = profile, .threads = 1};
    struct hf_buf patch = BUF;
    const struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err = HF_ERR_INIT;
    struct hf_delta_info info;
    int r = hf_delta_create(old->p, old->n, new_bytes->p, new_bytes->n, &params, &out, &err);

    ck_assert_msg(r == 0, "create: %s", err.cause);
    struct delta_io bytes = delta_io_of(&patch);
    const struct hf_delta_in in = delta_io_in(&bytes);
    ck_assert_int_eq(hf_delta_read_info(&in, &info, &err), 0);
    ck_assert_uint_eq(info.method, profile == HF_DELTA_SMALL ? DELTA_METHOD_RECORDS_CM : DELTA_METHOD_RECORDS_ZSTD);
    return patch;
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? strtoul(value, NULL, 10) : otherwise;
}

/* ---- kill -9 --------------------------------------------------------------------------------------------------- */

/* One process applies, keeping its checkpoint in a file as a node does; another kills it. */
struct site {
    char folder[64], new_path[96], kept_path[96], next_path[96];
    struct hf_buf old, new_bytes, patch;
    uint64_t *reached; /* shared: how far the child has written */
    int new_fd;
};

static int write_new(void *ctx, const void *bytes, size_t n)
{
    struct site *s = ctx;

    if (write(s->new_fd, bytes, n) != (ssize_t)n)
        return -EIO;
    *s->reached += n;
    return 0;
}

static int keep(void *ctx, const struct hf_delta_checkpoint *checkpoint)
{
    struct site *s = ctx;
    int fd = open(s->next_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, checkpoint, sizeof(*checkpoint)) != (ssize_t)sizeof(*checkpoint))
        return -EIO;
    (void)close(fd);
    return rename(s->next_path, s->kept_path) < 0 ? -errno : 0;
}

static uint64_t kept(const struct site *s, struct hf_delta_checkpoint *checkpoint)
{
    int fd = open(s->kept_path, O_RDONLY | O_CLOEXEC);

    *checkpoint = (struct hf_delta_checkpoint){0};
    if (fd < 0)
        return 0;
    ck_assert_int_eq(read(fd, checkpoint, sizeof(*checkpoint)), sizeof(*checkpoint));
    (void)close(fd);
    return checkpoint->new_offset;
}

/* In the child. */
static int apply_from_there(struct site *s)
{
    struct hf_delta_checkpoint from;
    bool resumes = kept(s, &from) > 0;
    struct delta_io old = delta_io_of(&s->old), patch = delta_io_of(&s->patch);
    struct hf_delta_apply_params params = {.old = delta_io_old(&old),
                                           .patch = delta_io_in(&patch),
                                           .out = {s, write_new},
                                           .resume = resumes ? &from : NULL,
                                           .checkpoint = keep,
                                           .checkpoint_ctx = s};

    s->new_fd = open(s->new_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (s->new_fd < 0 || ftruncate(s->new_fd, (off_t)from.new_offset) < 0 || lseek(s->new_fd, 0, SEEK_END) < 0)
        return 2;
    *s->reached = from.new_offset;
    return hf_delta_apply(&params, NULL, NULL) == 0 ? 0 : 1;
}

static void is_right(const struct site *s)
{
    int fd = open(s->new_path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_uint_eq((size_t)st.st_size, s->new_bytes.n);
    void *made = mmap(NULL, s->new_bytes.n, PROT_READ, MAP_PRIVATE, fd, 0);
    ck_assert(made != MAP_FAILED && memcmp(made, s->new_bytes.p, s->new_bytes.n) == 0);
    (void)munmap(made, s->new_bytes.n);
    (void)close(fd);
}

static uint64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Returns whether the child was killed, after at most `within_us` (0: it is left alone). */
static bool attempt(struct site *s, uint64_t within_us)
{
    int status = 0;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(apply_from_there(s));
    if (within_us > 0) {
        (void)usleep((useconds_t)(((uint64_t)draw() << 8 | draw() % 256) % within_us));
        (void)kill(child, SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        ck_assert_int_eq(WTERMSIG(status), SIGKILL);
        return true;
    }
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %d", status);
    return false;
}

static void site_open(struct site *s, enum hf_delta_profile profile)
{
    (void)snprintf(s->folder, sizeof(s->folder), "/tmp/hf-delta-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(s->folder));
    (void)snprintf(s->new_path, sizeof(s->new_path), "%s/new", s->folder);
    (void)snprintf(s->kept_path, sizeof(s->kept_path), "%s/kept", s->folder);
    (void)snprintf(s->next_path, sizeof(s->next_path), "%s/next", s->folder);
    s->old = text(2 * BLOCK + BLOCK / 2);
    s->new_bytes = edited(&s->old, 20000);
    s->patch = make(&s->old, &s->new_bytes, profile);
    s->reached = mmap(NULL, sizeof(*s->reached), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(s->reached != MAP_FAILED);
}

static void site_done(struct site *s)
{
    (void)unlink(s->new_path);
    (void)unlink(s->kept_path);
    (void)unlink(s->next_path);
    (void)rmdir(s->folder);
    (void)munmap(s->reached, sizeof(*s->reached));
    hf_buf_done(&s->old);
    hf_buf_done(&s->new_bytes);
    hf_buf_done(&s->patch);
}

START_TEST(killed)
{
    unsigned long kills = setting("HF_KILLS", 10), rounds = 0, resumed = 0;
    struct hf_delta_checkpoint point;
    struct site s = {0};

    site_open(&s, _i);
    uint64_t start = now_us();
    ck_assert(!attempt(&s, 0));
    is_right(&s);
    uint64_t whole_us = now_us() - start, most = 0;
    for (unsigned long done = 0; done < kills;) {
        (void)unlink(s.kept_path);
        (void)unlink(s.new_path);
        for (bool alive = true; alive;) {
            uint64_t from = kept(&s, &point);
            *s.reached = from;
            alive = attempt(&s, done < kills ? whole_us : 0);
            done += alive;
            resumed += from > 0;
            uint64_t again = *s.reached - (alive ? kept(&s, &point) : *s.reached);
            ck_assert_msg(again <= BLOCK, "%llu bytes are made again", (unsigned long long)again);
            ck_assert_uint_ge(kept(&s, &point), from);
            most = HF_MAX(most, again);
        }
        rounds++;
        is_right(&s);
    }
    printf("killed: profile %d, %lu kills in %lu applies, %lu attempts resumed, at most %llu bytes made again\n", _i,
           kills, rounds, resumed, (unsigned long long)most);
    site_done(&s);
}
END_TEST

/* ---- any byte wrong -------------------------------------------------------------------------------------------- */

/* FORMAT.md, "Memory": what an applier holds. */
enum { MEMORY_MAX = 5 << 19 };

static int apply_wrong(const struct wrong_byte *w, const struct hf_delta_in *in, const struct hf_delta_out *out,
                       struct hf_err *err)
{
    struct delta_io old = delta_io_of(w->ctx);
    const struct hf_delta_apply_params params = {
        .old = delta_io_old(&old), .patch = *in, .out = *out, .old_is_verified = true};

    return hf_delta_apply(&params, NULL, err);
}

static struct hf_buf code(unsigned functions, unsigned grown)
{
    struct elf_made made = elf_make(ELF_MAKE_AARCH64, functions, grown);
    struct hf_buf b = BUF;

    add(&b, made.p, made.n);
    free(made.p);
    return b;
}

static const struct {
    const char *name;
    enum hf_delta_profile profile;
    unsigned functions; /* 0: text */
} corruptions[] = {{"small, text", HF_DELTA_SMALL, 0},
                   {"small, code", HF_DELTA_SMALL, 280},
                   {"fast, text", HF_DELTA_FAST, 0},
                   {"fast, code", HF_DELTA_FAST, 200}};

/* Test i is part i % parts of case i / parts, with the same patch in all parts. */
START_TEST(corrupted)
{
    unsigned parts = wrong_byte_parts(), test = (unsigned)_i / parts, functions = corruptions[test].functions;

    draw_seed = 1;
    struct hf_buf old = functions > 0 ? code(functions, 0) : text(12000),
                  near = functions > 0 ? code(functions, 4) : edited(&old, 45),
                  patch = make(&old, &near, corruptions[test].profile);

    ck_assert_msg(patch.n >= 1800 && patch.n <= 3000, "the patch has %zu bytes", patch.n);
    wrong_byte_try(&(struct wrong_byte){.name = corruptions[test].name,
                                        .patch = &patch,
                                        .right = &near,
                                        .apply = apply_wrong,
                                        .ctx = &old,
                                        .memory_max = MEMORY_MAX},
                   (unsigned)_i % parts);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, killed, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, corrupted, 0, (int)(HF_LEN(corruptions) * wrong_byte_parts()));
}

HF_TEST_MAIN_CPU("delta/faults", cases, setting("HF_KILLS", 10) > 10 || getenv("HF_CORRUPT") != NULL ? 7200 : 300)
