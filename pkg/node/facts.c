/* SPDX-License-Identifier: Apache-2.0 */
#include "node/facts.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "node/probe.h"
#include "node/storage.h"

enum { CPUINFO_BYTES = 64 * 1024, AUXV_BYTES = 4096, MAX_FEATURES_BYTES = 16 * 1024 };

const char *hf_facts_build_arch(void)
{
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__arm__)
    return "arm";
#elif defined(__i386__)
    return "386";
#elif defined(__riscv) && __riscv_xlen == 64
    return "riscv64";
#elif defined(__s390x__)
    return "s390x";
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return "ppc64le";
#elif defined(__loongarch64)
    return "loong64";
#else
#error "name this architecture as kubernetes.io/arch does"
#endif
}

void hf_facts_done(struct hf_facts *facts)
{
    free(hf_steal(facts->cpu_features));
}

bool hf_facts_has_cpu(const struct hf_facts *facts, const char *feature)
{
    char word[64];

    if (facts->cpu_features == NULL || feature[0] == '\0' || strchr(feature, ' ') != NULL ||
        snprintf(word, sizeof(word), " %s ", feature) >= (int)sizeof(word))
        return false;
    return strstr(facts->cpu_features, word) != NULL;
}

/* ---- processor --------------------------------------------------------------------------------------------------- */

/* Finds the first line "key : value" of /proc/cpuinfo with this key. */
static bool cpuinfo_value(const char *text, const char *key, struct hf_view *ret_value)
{
    struct hf_view rest = hf_view_of(text), line, name;

    while (hf_view_split(&rest, '\n', &line)) {
        if (!hf_view_split(&line, ':', &name) || line.p == NULL)
            continue;
        if (!hf_view_eq(hf_view_trim(name), key))
            continue;
        *ret_value = hf_view_trim(line);
        return true;
    }
    return false;
}

/* RISC-V writes "rv64imafdcv_zba_zbb": single letters up to the first underscore, then words. */
static int add_riscv(struct hf_view isa, struct hf_buf *out)
{
    struct hf_view word;
    int r = 0;

    if (!hf_view_split(&isa, '_', &word) || word.n < 4)
        return 0;
    for (size_t i = 4; i < word.n && r == 0; i++)
        r = hf_buf_addf(out, "%c ", word.p[i]);
    while (r == 0 && hf_view_split(&isa, '_', &word))
        r = hf_buf_addf(out, "%.*s ", (int)word.n, word.p);
    return r;
}

/* AT_HWCAP of AArch64 (asm/hwcap.h), for the few kernels and sandboxes without a Features line in cpuinfo. */
static const struct {
    unsigned bit;
    const char *name;
} arm64_hwcap[] = {
    {0, "fp"},      {1, "asimd"}, {3, "aes"},      {4, "pmull"},    {5, "sha1"},    {6, "sha2"}, {7, "crc32"},
    {8, "atomics"}, {9, "fphp"},  {10, "asimdhp"}, {20, "asimddp"}, {21, "sha512"}, {22, "sve"},
};

static int add_hwcap(const struct hf_probe_root *at, const char *arch, struct hf_buf *out)
{
    _Alignas(Elf64_auxv_t) char bytes[AUXV_BYTES];
    const Elf64_auxv_t *entry = (const Elf64_auxv_t *)(const void *)bytes;
    int r = 0;

    memset(bytes, 0, sizeof(bytes));
    if (strcmp(arch, "arm64") != 0 || !hf_probe_text(at, "/proc/self/auxv", bytes, sizeof(bytes)))
        return 0;
    for (size_t i = 0; i < sizeof(bytes) / sizeof(*entry) && entry[i].a_type != AT_NULL; i++)
        for (size_t k = 0; entry[i].a_type == AT_HWCAP && k < HF_LEN(arm64_hwcap) && r == 0; k++)
            if ((entry[i].a_un.a_val >> arm64_hwcap[k].bit & 1) != 0)
                r = hf_buf_addf(out, "%s ", arm64_hwcap[k].name);
    return r;
}

static int read_cpu(const struct hf_probe_root *at, struct hf_facts *facts)
{
    _cleanup_(hf_freep) char *text = malloc(CPUINFO_BYTES);
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(MAX_FEATURES_BYTES);
    struct hf_view value;
    int r;

    if (text == NULL)
        return -ENOMEM;
    (void)hf_probe_text(at, "/proc/cpuinfo", text, CPUINFO_BYTES);
    r = hf_buf_add_str(&out, " ");
    if (r == 0 && (cpuinfo_value(text, "flags", &value) || cpuinfo_value(text, "Features", &value)))
        r = hf_buf_addf(&out, "%.*s ", (int)value.n, value.p);
    else if (r == 0 && cpuinfo_value(text, "isa", &value))
        r = add_riscv(value, &out);
    else if (r == 0)
        r = add_hwcap(at, facts->arch, &out);
    if (r < 0)
        return r;
    facts->cpu_features = out.n > 1 ? hf_buf_take(&out) : NULL;
    return 0;
}

/* "0-3", "0,2-3" */
static unsigned count_ranges(const char *text)
{
    struct hf_view rest = hf_view_of(text), range;
    unsigned count = 0;

    while (hf_view_split(&rest, ',', &range)) {
        char one[32];
        unsigned from, to;
        (void)snprintf(one, sizeof(one), "%.*s", (int)HF_MIN(range.n, sizeof(one) - 1), range.p);
        int n = sscanf(one, "%u-%u", &from, &to);
        if (n == 1)
            count++;
        else if (n == 2 && to >= from && to - from < 65536)
            count += to - from + 1;
    }
    return count;
}

/* ---- memory, GPU, TPM -------------------------------------------------------------------------------------------- */

static uint64_t read_memory(const struct hf_probe_root *at)
{
    char text[512];
    unsigned long long kib = 0;

    if (!hf_probe_text(at, "/proc/meminfo", text, sizeof(text)))
        return 0;
    const char *line = strstr(text, "MemTotal:");
    return line != NULL && sscanf(line, "MemTotal: %llu kB", &kib) == 1 ? (uint64_t)kib * 1024 : 0;
}

struct gpu_search {
    const struct hf_probe_root *at;
    char *found;
    size_t n;
};

static const char *pci_vendor_name(const char *vendor)
{
    static const struct {
        const char *id, *name;
    } makers[] = {{"0x10de", "nvidia"}, {"0x1002", "amd"}, {"0x8086", "intel"}};

    for (size_t i = 0; i < HF_LEN(makers); i++)
        if (strcmp(vendor, makers[i].id) == 0)
            return makers[i].name;
    return NULL; /* the frame buffer of a management controller or hypervisor computes nothing */
}

/* Display controllers have PCI class 0x03xxxx. A separate card wins over the GPU in the processor. */
static int look_at_pci(void *arg, const char *name)
{
    struct gpu_search *search = arg;
    char path[256], text[32];

    (void)snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class", name);
    if (!hf_probe_text(search->at, path, text, sizeof(text)) || strncmp(text, "0x03", 4) != 0)
        return 0;
    (void)snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor", name);
    if (!hf_probe_text(search->at, path, text, sizeof(text)))
        return 0;
    const char *maker = pci_vendor_name(text);
    if (maker != NULL && (search->found[0] == '\0' || strcmp(search->found, "intel") == 0))
        (void)snprintf(search->found, search->n, "%s", maker);
    return 0;
}

/* Boards without PCI: the driver of a DRM render node, which draws without a screen. */
static int look_at_drm(void *arg, const char *name)
{
    struct gpu_search *search = arg;
    char path[256], text[512], driver[32];

    if (search->found[0] != '\0' || strncmp(name, "renderD", 7) != 0)
        return 0;
    (void)snprintf(path, sizeof(path), "/sys/class/drm/%s/device/uevent", name);
    if (!hf_probe_text(search->at, path, text, sizeof(text)))
        return 0;
    const char *line = strstr(text, "DRIVER=");
    if (line == NULL || sscanf(line, "DRIVER=%31[a-zA-Z0-9_.-]", driver) != 1 || strncmp(driver, "virtio", 6) == 0 ||
        strcmp(driver, "vgem") == 0)
        return 0;
    (void)snprintf(search->found, search->n, "%s", driver);
    return 0;
}

static void read_gpu(const struct hf_probe_root *at, struct hf_facts *facts)
{
    struct gpu_search search = {at, facts->gpu, sizeof(facts->gpu)};

    if (hf_probe_exists(at, "/dev/nvidia0") || hf_probe_exists(at, "/proc/driver/nvidia/version")) {
        (void)snprintf(facts->gpu, sizeof(facts->gpu), "nvidia");
        return;
    }
    (void)hf_probe_each(at, "/sys/bus/pci/devices", look_at_pci, &search);
    (void)hf_probe_each(at, "/sys/class/drm", look_at_drm, &search);
}

static void read_tpm(const struct hf_probe_root *at, struct hf_facts *facts)
{
    char name[32], path[96];

    if (!hf_probe_first(at, "/sys/class/tpm", "tpm", name, sizeof(name)))
        return;
    (void)snprintf(path, sizeof(path), "/sys/class/tpm/%s/tpm_version_major", name);
    if (!hf_probe_text(at, path, facts->tpm, sizeof(facts->tpm)))
        (void)snprintf(facts->tpm, sizeof(facts->tpm),
                       "1"); /* kernels before 5.6 do not report it; TPMs 2.0 report it elsewhere */
}

int hf_facts_read(const struct hf_facts_params *params, struct hf_facts *ret_facts)
{
    struct hf_probe_root at = {params->fs, params->root};
    struct hf_facts facts = {0};
    char present[256];

    (void)snprintf(facts.arch, sizeof(facts.arch), "%s", params->arch != NULL ? params->arch : hf_facts_build_arch());
    (void)hf_probe_text(&at, "/proc/sys/kernel/osrelease", facts.kernel, sizeof(facts.kernel));
    facts.memory_bytes = read_memory(&at);
    if (hf_probe_text(&at, "/sys/devices/system/cpu/present", present, sizeof(present)))
        facts.cpus = count_ranges(present);
    read_gpu(&at, &facts);
    read_tpm(&at, &facts);
    facts.storage = hf_storage_of(&at, params->state_major, params->state_minor);
    int r = read_cpu(&at, &facts);
    if (r < 0)
        return r;
    *ret_facts = facts;
    return 0;
}

bool hf_facts_has_gaps(const struct hf_facts *now, const struct hf_facts *before)
{
    return (now->kernel[0] == '\0' && before->kernel[0] != '\0') ||
           (now->memory_bytes == 0 && before->memory_bytes != 0) || (now->cpus == 0 && before->cpus != 0) ||
           (now->cpu_features == NULL && before->cpu_features != NULL);
}

const char *hf_facts_class(const struct hf_facts *facts)
{
    if (facts->gpu[0] != '\0' || (facts->cpus >= 4 && facts->memory_bytes >= (7ull << 30) / 2))
        return "compute";
    return facts->tpm[0] != '\0' ? "compliance" : "connectivity";
}
