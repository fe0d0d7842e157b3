/* delta-tool create [--fast] OLD NEW PATCH | apply OLD PATCH NEW : for measuring, until the command line is there. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delta/delta.h"

struct file {
    int fd;
    size_t n;
};

static ssize_t get_at(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    return pread(((struct file *)ctx)->fd, bytes, n, (off_t)offset);
}

static ssize_t get(void *ctx, void *bytes, size_t n)
{
    return read(((struct file *)ctx)->fd, bytes, n);
}

static int put(void *ctx, const void *bytes, size_t n)
{
    return write(((struct file *)ctx)->fd, bytes, n) == (ssize_t)n ? 0 : -1;
}

static struct file open_file(const char *path, bool write_it)
{
    struct file f = {open(path, write_it ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY, 0666), 0};
    struct stat st;

    if (f.fd < 0 || fstat(f.fd, &st) < 0) {
        perror(path);
        exit(1);
    }
    f.n = (size_t)st.st_size;
    return f;
}

static void *map_file(const struct file *f)
{
    return f->n > 0 ? mmap(NULL, f->n, PROT_READ, MAP_PRIVATE, f->fd, 0) : NULL;
}

int main(int argc, char **argv)
{
    struct hf_delta_create_params params = {.profile = HF_DELTA_SMALL};
    struct hf_err err = HF_ERR_INIT;
    int r;

    if (argc > 2 && strcmp(argv[2], "--fast") == 0) {
        params.profile = HF_DELTA_FAST;
        argv++;
        argc--;
    }
    if (argc != 5)
        return 2;
    if (strcmp(argv[argc - 4 < 1 ? 1 : argc - 4], "create") == 0 || strcmp(argv[0], "--fast") == 0 ||
        params.profile == HF_DELTA_FAST) {
        struct file old = open_file(argv[2], false), new_file = open_file(argv[3], false),
                    patch = open_file(argv[4], true);
        struct hf_delta_out out = {&patch, put};
        r = hf_delta_create(map_file(&old), old.n, map_file(&new_file), new_file.n, &params, &out, &err);
    } else {
        struct file old = open_file(argv[2], false), patch = open_file(argv[3], false), made = open_file(argv[4], true);
        struct hf_delta_apply_params apply = {
            .old = {&old, get_at, old.n}, .patch = {&patch, get}, .out = {&made, put}};
        r = hf_delta_apply(&apply, NULL, &err);
    }
    if (r < 0)
        (void)fprintf(stderr, "delta-tool: %s: %s\n", err.where, err.cause);
    return r < 0;
}
