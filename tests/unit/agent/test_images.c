/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says about images beside the list itself: settings of containerd, its version, what containers run,
 * and what the verifier has refused. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/images/refusals.h"
#include "agent/images/running.h"
#include "agent/images/runtime.h"
#include "support/check_main.h"

/* ---- containerd -------------------------------------------------------------------------------------------------- */

#define IMAGES "[plugins.'io.containerd.cri.v1.images']\n"
#define VERIFIER "[plugins.\"io.containerd.image-verifier.v1.bindir\"]\n"

static const struct {
    const char *toml, *folder, *local_pull, *imports;
    bool off;
} settings[] = {
    {"", HF_IMAGE_VERIFIER_DIR, "", "", false},
    {"version = 3\n" IMAGES "snapshotter = 'overlayfs'\n", HF_IMAGE_VERIFIER_DIR, "", "", false},
    {VERIFIER "  bin_dir = \"/srv/verifiers\" # ours\n", "/srv/verifiers", "", "", false},
    {"bin_dir = '/x'\n[plugins.cni]\nbin_dir = '/y'\n", HF_IMAGE_VERIFIER_DIR, "", "", false},
    {VERIFIER "bin_dir = [\n", "", "", "", false},
    {VERIFIER "max_verifiers = 0\n", HF_IMAGE_VERIFIER_DIR, "", "", true},
    {VERIFIER "max_verifiers = -1\n", HF_IMAGE_VERIFIER_DIR, "", "", false},
    {"disabled_plugins = ['io.containerd.image-verifier.v1.bindir']\n", HF_IMAGE_VERIFIER_DIR, "", "", true},
    {"disabled_plugins = [\n 'x',\n 'io.containerd.image-verifier.v1.bindir',\n]\n", HF_IMAGE_VERIFIER_DIR, "", "",
     true},
    {"# disabled_plugins = ['io.containerd.image-verifier.v1.bindir']\n", HF_IMAGE_VERIFIER_DIR, "", "", false},
    {IMAGES "use_local_image_pull = true\n", HF_IMAGE_VERIFIER_DIR, "use_local_image_pull", "", false},
    {IMAGES "use_local_image_pull=false\n", HF_IMAGE_VERIFIER_DIR, "", "", false},
    {IMAGES "#use_local_image_pull = true\n", HF_IMAGE_VERIFIER_DIR, "", "", false},
    {IMAGES "disable_snapshot_annotations = true\n", HF_IMAGE_VERIFIER_DIR, "", "", false}, /* K3s */
    {IMAGES "disable_snapshot_annotations = false\r\n", HF_IMAGE_VERIFIER_DIR, "disable_snapshot_annotations", "",
     false},
    {IMAGES "discard_unpacked_layers = true\n", HF_IMAGE_VERIFIER_DIR, "discard_unpacked_layers", "", false},
    {IMAGES "max_concurrent_downloads = 3\n", HF_IMAGE_VERIFIER_DIR, "", "", false},
    {IMAGES "max_concurrent_downloads = 8\n", HF_IMAGE_VERIFIER_DIR, "max_concurrent_downloads", "", false},
    {IMAGES "max_concurrent_downloads = 8\n" IMAGES "max_concurrent_downloads = 3\n", HF_IMAGE_VERIFIER_DIR, "", "",
     false},
    {"[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/etc/certs.d'\n", HF_IMAGE_VERIFIER_DIR, "", "",
     false},
    {"[plugins.'io.containerd.cri.v1.images'.registry.mirrors.'r.example']\n", HF_IMAGE_VERIFIER_DIR,
     "registry.mirrors", "", false},
    {"[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"a\".tls]\n", HF_IMAGE_VERIFIER_DIR, "registry.configs",
     "", false},
    {"imports = [\"/var/lib/rancher/k3s/agent/etc/containerd/config-v3.toml.d/*.toml\"]\n" IMAGES,
     HF_IMAGE_VERIFIER_DIR, "", "/var/lib/rancher/k3s/agent/etc/containerd/config-v3.toml.d/*.toml", false},
};

START_TEST(reads_settings)
{
    struct hf_image_runtime runtime = {.folder = HF_IMAGE_VERIFIER_DIR};

    hf_image_runtime_read(&runtime, settings[_i].toml);
    ck_assert_str_eq(runtime.folder, settings[_i].folder);
    ck_assert_str_eq(runtime.local_pull, settings[_i].local_pull);
    ck_assert_str_eq(runtime.imports, settings[_i].imports);
    ck_assert_int_eq(runtime.disabled || runtime.calls_none, settings[_i].off);
}
END_TEST

/* Lines longer than any buffer, without an end, with quotes that never close. */
START_TEST(survives_settings)
{
    static char text[20000];

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = "[\"'=#a\n "[(i * 2654435761u >> 7) % 8];
    for (size_t n = sizeof(text) - 1; n > 0; n -= n / 7 + 1) {
        struct hf_image_runtime runtime = {.folder = HF_IMAGE_VERIFIER_DIR};
        text[n] = '\0';
        hf_image_runtime_read(&runtime, text);
    }
    memset(text, '[', 5000);
    text[5000] = '\0';
    struct hf_image_runtime runtime = {.folder = ""};
    hf_image_runtime_read(&runtime, text);
}
END_TEST

START_TEST(reads_versions)
{
    static const struct {
        const char *text;
        bool ok;
        unsigned major, minor;
    } cases[] = {
        {"containerd github.com/containerd/containerd/v2 v2.1.4 75cb2b7193e4e490e9fbdc236c0e811ccaba3376", true, 2, 1},
        {"containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1", true, 1, 6},
        {"containerd github.com/k3s-io/containerd v2.1.5-k3s1", true, 2, 1},
        {"containerd github.com/containerd/containerd/v2 2.0.0+unknown ", true, 2, 0},
        {"containerd", false, 0, 0},
        {"", false, 0, 0},
        {"containerd x v2", false, 0, 0},
        {"containerd x v99999999999999999999.1", false, 0, 0},
    };

    for (size_t i = 0; i < HF_LEN(cases); i++) {
        unsigned major = 0, minor = 0;
        ck_assert_msg(hf_image_runtime_version(cases[i].text, &major, &minor) == cases[i].ok, "%s", cases[i].text);
        ck_assert_uint_eq(major, cases[i].major);
        ck_assert_uint_eq(minor, cases[i].minor);
    }
}
END_TEST

/* ---- containers -------------------------------------------------------------------------------------------------- */

static const char stored[] =
    "time=\"x\" level=warning msg=\"noise\"\n"
    "{\"images\":["
    "{\"id\":\"sha256:c1\",\"repoTags\":[\"r/app:1\"],\"repoDigests\":[\"r/app@sha256:good\"]},"
    "{\"id\":\"sha256:c2\",\"repoTags\":[\"r/evil:1\"],\"repoDigests\":[\"r/evil@sha256:bad\"]},"
    "{\"id\":\"sha256:c3\",\"repoTags\":[\"import:1\"],\"repoDigests\":[]},"
    "{\"id\":\"sha256:c4\",\"repoTags\":[],\"repoDigests\":[\"r/old@sha256:bad\",\"r/new@sha256:good\"]}]}";

static bool is_good(void *arg, const char *digest)
{
    (void)arg;
    return strcmp(digest, "sha256:good") == 0;
}

#define ONE(ref) "{\"metadata\":{\"name\":\"main\"},\"image\":{\"image\":\"r/x:1\"},\"imageRef\":\"" ref "\"}"

static const struct {
    const char *containers;
    int r;
    unsigned n;
} runs[] = {
    {"{\"containers\":[]}", 0, 0},
    {"{}", 0, 0},
    {"{\"containers\":null}", 0, 0},
    {"{\"containers\":[" ONE("sha256:c1") "]}", 0, 0},
    {"{\"containers\":[" ONE("r/app@sha256:good") "," ONE("r/app:1") "," ONE("sha256:c4") "]}", 0, 0},
    {"{\"containers\":[" ONE("sha256:c2") "]}", 0, 1},
    {"{\"containers\":[" ONE("sha256:c3") "]}", 0, 1},          /* imported, without a digest */
    {"{\"containers\":[" ONE("sha256:gone") "]}", 0, 1},        /* removed from the store */
    {"{\"containers\":[" ONE("r/gone@sha256:good") "]}", 0, 0}, /* removed, but its digest is known */
    {"{\"containers\":[" ONE("") "," ONE("sha256:c1") "]}", 0, 1},
    {"{\"containers\":[{},7,null]}", 0, 3},
    {"{\"containers\":{}}", -EBADMSG, 0},
    {"[]", -EBADMSG, 0},
    {"", -EBADMSG, 0},
    {"{\"containers\":[" ONE("sha256:c1"), -EBADMSG, 0}, /* cut */
};

START_TEST(judges_containers)
{
    struct hf_images_running running = {.n = 0};
    struct hf_err err = HF_ERR_INIT;

    int r = hf_images_running_judge(hf_view_of(stored), hf_view_of(runs[_i].containers), is_good, NULL, &running, &err);
    ck_assert_int_eq(r, runs[_i].r);
    ck_assert_uint_eq(running.n, runs[_i].n);
}
END_TEST

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void count(void *arg, const char *verdict)
{
    strncat(arg, verdict, 20);
    strncat(arg, " ", 2);
}

START_TEST(sums_refusals)
{
    char lines[] = "1 sha256:aa NotListed r/app:1\nnonsense\n2 sha256:bb Allowed r/app:2\n3 sha256:cc Unheard r/x\n\n"
                   "4 sha256:dd ListExpired r/last:9\n5 sha256:ee NotListed";
    char seen[400] = "", none[] = "";
    struct hf_image_refusals refusals;

    hf_image_refusals_sum(lines, count, seen, &refusals);
    ck_assert_uint_eq(refusals.n, 2);
    ck_assert_str_eq(seen, "NotListed ListExpired ");
    ck_assert_str_eq(refusals.text, "2 pulls refused, the last one of 'r/last:9' (sha256:dd): ListExpired");
    hf_image_refusals_sum(none, count, seen, &refusals);
    ck_assert_uint_eq(refusals.n, 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, reads_settings, 0, (int)HF_LEN(settings));
    tcase_add_test(tc, survives_settings);
    tcase_add_test(tc, reads_versions);
    tcase_add_loop_test(tc, judges_containers, 0, (int)HF_LEN(runs));
    tcase_add_test(tc, sums_refusals);
}
HF_TEST_MAIN("agent/images", cases)
