/* SPDX-License-Identifier: Apache-2.0 */
/* What applying meets on a node: kill -9 at any moment.
 *
 * HF_KILLS=200 kills so often in each profile (10 otherwise). */
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

#include "faults.h"

enum { BLOCK = 4 << 20 };

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? strtoul(value, NULL, 10) : otherwise;
}

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

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, killed, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
}

HF_TEST_MAIN_CPU("delta/kills", cases, setting("HF_KILLS", 10) > 10 ? 7200 : 300)
