/* SPDX-License-Identifier: Apache-2.0 */
#include "node/facts.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/labels.h"
#include "node/meets.h"
#include "os/fs_posix.h"
#include "support/board.h"
#include "support/check_main.h"

/* ---- what is found on each ---------------------------------------------------------------------------------------- */

static const struct board {
    const char *name, *arch;
    unsigned major, minor;
    const char *labels; /* "key=value ..." without the prefix, in order */
} boards[] = {
    {"rpi4", "arm64", 179, 2, "arch=arm64 class=compute cpu.asimd=true cpu.crc32=true gpu=v3d memory=3 storage=sd"},
    {"cm4", "arm", 253, 0,
     "arch=arm class=connectivity cpu.crc32=true cpu.neon=true cpu.vfpv4=true memory=0 storage=emmc"},
    {"nuc", "amd64", 254, 1,
     "arch=amd64 class=compute cpu.aes=true cpu.avx=true cpu.avx2=true cpu.avx512_vnni=true cpu.avx512f=true "
     "cpu.bmi2=true cpu.f16c=true cpu.fma=true cpu.popcnt=true cpu.sha_ni=true cpu.sse4_2=true cpu.vmx=true gpu=intel "
     "memory=15 storage=nvme tpm=2"},
    {"gpu", "amd64", 0, 24,
     "arch=amd64 class=compute cpu.avx=true cpu.avx2=true cpu.sse4_2=true gpu=nvidia memory=62 storage=hdd"},
    {"vm", "amd64", 252, 1, "arch=amd64 class=connectivity cpu.popcnt=true cpu.sse4_2=true memory=1 storage=virtual"},
    {"riscv", "riscv64", 8, 0, "arch=riscv64 class=compute cpu.v=true cpu.zba=true cpu.zbb=true memory=7 storage=ssd"},
    {"bare", "amd64", 8, 17, "arch=amd64 class=connectivity"},
    {"bare", "amd64", 0, 33, "arch=amd64 class=connectivity storage=virtual"},
};

static void read_board(const struct board *board, struct hf_facts *ret_facts)
{
    char tree[128], root[128];

    (void)snprintf(tree, sizeof(tree), "tests/unit/node/boards/%s.tree", board->name);
    board_unpack(tree, root);
    struct hf_facts_params params = {.fs = hf_fs_posix(),
                                     .root = root,
                                     .arch = board->arch,
                                     .state_major = board->major,
                                     .state_minor = board->minor};
    ck_assert_int_eq(hf_facts_read(&params, ret_facts), 0);
    board_clean(root);
}

START_TEST(board_labels)
{
    const struct board *board = &boards[_i];
    struct hf_syncpolicy policy = {.detect_labels = true};
    struct hf_facts facts;
    json_t *labels = NULL, *value;
    const char *key;
    char got[2048] = "";
    size_t n = 0;

    read_board(board, &facts);
    ck_assert_int_eq(hf_labels_desired(&facts, &policy, &labels, NULL), 0);
    json_object_foreach(labels, key, value)
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s=%s", n > 0 ? " " : "", key + strlen(HF_LABEL_PREFIX),
                              json_string_value(value));
    ck_assert_msg(strcmp(got, board->labels) == 0, "%s\n got: %s\nwant: %s", board->name, got, board->labels);
    json_decref(labels);
    hf_facts_done(&facts);
}
END_TEST

/* A file that cannot be read once is no news; a device that goes is. */
START_TEST(gaps)
{
    struct hf_facts before, now;

    read_board(&boards[2], &before);
    now = before;
    ck_assert(!hf_facts_has_gaps(&now, &before));
    now.gpu[0] = now.tpm[0] = '\0';
    now.memory_bytes /= 2;
    now.cpus = 1;
    ck_assert(!hf_facts_has_gaps(&now, &before));
    for (int i = 0; i < 4; i++) {
        now = before;
        if (i == 0)
            now.kernel[0] = '\0';
        else if (i == 1)
            now.memory_bytes = 0;
        else if (i == 2)
            now.cpus = 0;
        else
            now.cpu_features = NULL;
        ck_assert(hf_facts_has_gaps(&now, &before));
        ck_assert(!hf_facts_has_gaps(&now, &now) && !hf_facts_has_gaps(&before, &now));
    }
    hf_facts_done(&before);
}
END_TEST

START_TEST(reading_twice_is_equal)
{
    struct hf_facts a, b;

    read_board(&boards[2], &a);
    read_board(&boards[2], &b);
    ck_assert_uint_eq(a.cpus, 8);
    ck_assert_str_eq(a.kernel, "6.1.0-18-amd64");
    ck_assert_uint_eq(b.cpus, a.cpus);
    ck_assert_str_eq(b.kernel, a.kernel);
    ck_assert_str_eq(b.cpu_features, a.cpu_features);
    hf_facts_done(&a);
    hf_facts_done(&b);
    read_board(&boards[3], &a);
    ck_assert_uint_eq(a.cpus, 9);
    hf_facts_done(&a);
}
END_TEST

START_TEST(this_machine)
{
    struct hf_facts_params params = {.fs = hf_fs_posix(), .root = ""};
    struct hf_facts facts;

    ck_assert_int_eq(hf_facts_read(&params, &facts), 0);
    ck_assert_str_eq(facts.arch, hf_facts_build_arch());
    ck_assert_uint_gt(facts.memory_bytes, 64u << 20);
    ck_assert_uint_gt(facts.cpus, 0);
    ck_assert_str_ne(facts.kernel, "");
    hf_facts_done(&facts);
}
END_TEST

static const struct {
    const char *name;
    unsigned cpus;
    uint64_t memory;
    const char *gpu, *tpm, *want;
} classes[] = {
    {"small", 4, 1ull << 30, "", "", "connectivity"},      {"4 GB board", 4, 3884312ull * 1024, "", "", "compute"},
    {"two cores", 2, 64ull << 30, "", "", "connectivity"}, {"gpu", 2, 1ull << 30, "nvidia", "", "compute"},
    {"tpm", 2, 1ull << 30, "", "2", "compliance"},         {"strong with tpm", 8, 16ull << 30, "", "2", "compute"},
};

START_TEST(class_rule)
{
    struct hf_facts facts = {.cpus = classes[_i].cpus, .memory_bytes = classes[_i].memory};

    (void)snprintf(facts.gpu, sizeof(facts.gpu), "%s", classes[_i].gpu);
    (void)snprintf(facts.tpm, sizeof(facts.tpm), "%s", classes[_i].tpm);
    ck_assert_msg(strcmp(hf_facts_class(&facts), classes[_i].want) == 0, "%s: %s", classes[_i].name,
                  hf_facts_class(&facts));
}
END_TEST

/* ---- requires ----------------------------------------------------------------------------------------------------- */

static const struct {
    const char *release, *constraint;
    int want_r;
    bool want;
} kernels[] = {
    {"6.1.0-18-amd64", ">=5.10", 0, true},
    {"5.10.0", ">=5.10", 0, true},
    {"5.9.17", ">=5.10", 0, false},
    {"5.10.110-rockchip", ">5.10", 0, false},
    {"5.11", ">5.10", 0, true},
    {"6.1.0-18-amd64", "=6.1", 0, true},
    {"6.10.3", "=6.1", 0, false},
    {"4.19.0", "<5", 0, true},
    {"5.0", "<5", 0, false},
    {"5.15.84-v7l+", "<=5.15.84", 0, true},
    {"5.15.85", "<=5.15.84", 0, false},
    {"", ">=5.10", 0, false},
    {"6.1", "5.10", -EINVAL, false},
    {"6.1", ">=", -EINVAL, false},
    {"6.1", ">=x", -EINVAL, false},
    {"6.1", ">=5..1", -EINVAL, false},
    {"6.1", ">= 5.1", -EINVAL, false}, /* the decoder takes no blank either */
    {"6.1", ">=5.10.1.2", -EINVAL, false},
    {"6.1", ">=5.", -EINVAL, false},
    {"6.1", "~5", -EINVAL, false},
};

START_TEST(kernel)
{
    bool got = false;
    int r = hf_meets_kernel(kernels[_i].release, kernels[_i].constraint, &got);

    ck_assert_msg(r == kernels[_i].want_r && got == kernels[_i].want, "'%s' %s: r=%d %d", kernels[_i].release,
                  kernels[_i].constraint, r, got);
}
END_TEST

static bool only_dri(void *arg, const char *path)
{
    (void)arg;
    return strcmp(path, "/dev/dri/renderD128") == 0;
}

static const struct {
    const char *name;
    struct hf_requires want;
    const char *missing; /* NULL: fits */
} requirements[] = {
    {"nothing", {.memory_bytes = 0}, NULL},
    {"all there",
     {.cpu_features = {"asimd", "crc32"},
      .memory_bytes = 1ull << 30,
      .disk_bytes = 100,
      .devices = {"/dev/dri/renderD128"},
      .kernel = ">=5.10"},
     NULL},
    {"feature", {.cpu_features = {"asimd", "sve"}}, "cpu feature sve"},
    {"part of a name", {.cpu_features = {"crc"}}, "cpu feature crc"},
    {"two words", {.cpu_features = {"asimd evtstrm"}}, "cpu feature asimd evtstrm"},
    {"memory", {.memory_bytes = 8ull << 30}, "memory 3793 MiB of 8192 MiB"},
    {"disk", {.disk_bytes = 1ull << 30}, "free disk 512 MiB of 1024 MiB"},
    {"all named",
     {.cpu_features = {"sve"}, .devices = {"/dev/nvidia0"}, .kernel = ">=6.5"},
     "cpu feature sve, device /dev/nvidia0, kernel >=6.5, here 6.1.0-rpi7-rpi-v8"},
    {"bad constraint", {.kernel = "new"}, "kernel new, here 6.1.0-rpi7-rpi-v8"},
};

START_TEST(requires_)
{
    struct hf_meets_now now = {.disk_free_bytes = 512ull << 20, .has_device = only_dri};
    struct hf_err err = HF_ERR_INIT;
    struct hf_facts facts;
    char want[256], text[600];

    read_board(&boards[0], &facts);
    int r = hf_meets_requires(&facts, &now, &requirements[_i].want, &err);
    if (requirements[_i].missing == NULL) {
        ck_assert_msg(r == 0, "%s: %s", requirements[_i].name, err.cause);
    } else {
        (void)snprintf(want, sizeof(want), "missing: %s", requirements[_i].missing);
        ck_assert_int_eq(r, -EOPNOTSUPP);
        ck_assert_str_eq(hf_err_text(&err, text, sizeof(text)), want);
    }
    hf_facts_done(&facts);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, board_labels, 0, HF_LEN(boards));
    tcase_add_test(tc, reading_twice_is_equal);
    tcase_add_test(tc, gaps);
    tcase_add_test(tc, this_machine);
    tcase_add_loop_test(tc, class_rule, 0, HF_LEN(classes));
    tcase_add_loop_test(tc, kernel, 0, HF_LEN(kernels));
    tcase_add_loop_test(tc, requires_, 0, HF_LEN(requirements));
}

HF_TEST_MAIN("node/facts", cases)
