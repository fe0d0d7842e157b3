/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says about images beside the list itself: settings of containerd, its version, what containers run,
 * and what the verifier has refused. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/images/judge.h"
#include "agent/images/refusals.h"
#include "agent/images/running.h"
#include "agent/images/runtime_files.h"
#include "codec/sha256.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"
#include "verifier/image_list.h"

/* ---- containerd -------------------------------------------------------------------------------------------------- */

#define IMAGES "[plugins.'io.containerd.cri.v1.images']\n"
#define VERIFIER "[plugins.\"io.containerd.image-verifier.v1.bindir\"]\n"

static const struct {
    const char *toml, *folder, *local_pull, *imports; /* the last of them */
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
    {"imports = [ '/a.toml', # first\n  \"b/*.toml\",\n]\nversion = 3\n" IMAGES "max_concurrent_downloads = 4",
     HF_IMAGE_VERIFIER_DIR, "max_concurrent_downloads", "b/*.toml", false},
    {"imports = []\n" IMAGES "imports = ['/x']\n", HF_IMAGE_VERIFIER_DIR, "", "", false},
    /* What one setting takes back is not another one. */
    {IMAGES "use_local_image_pull = true\nmax_concurrent_downloads = 8\n" IMAGES "max_concurrent_downloads = 3\n",
     HF_IMAGE_VERIFIER_DIR, "use_local_image_pull", "", false},
    {"[plugins.'io.containerd.cri.v1.images'.registry.auths.'r.example']\n" IMAGES "discard_unpacked_layers = true\n"
     "discard_unpacked_layers = false\n",
     HF_IMAGE_VERIFIER_DIR, "registry.auths", "", false},
};

START_TEST(reads_settings)
{
    struct hf_image_runtime runtime = {.folder = HF_IMAGE_VERIFIER_DIR};
    struct hf_image_imports imports;

    hf_image_runtime_read(&runtime, settings[_i].toml, &imports);
    const char *pulls = hf_image_runtime_local_pull(&runtime);
    ck_assert_str_eq(runtime.folder, settings[_i].folder);
    ck_assert_str_eq(pulls != NULL ? pulls : "", settings[_i].local_pull);
    ck_assert_str_eq(imports.n > 0 ? imports.path[imports.n - 1] : "", settings[_i].imports);
    ck_assert(!imports.lost);
    ck_assert_int_eq(runtime.disabled || runtime.calls_none, settings[_i].off);
}
END_TEST

/* Lines longer than any buffer, without an end, with quotes that never close. */
START_TEST(survives_settings)
{
    static char text[20000];
    struct hf_image_imports imports;

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = "[\"'=#a\n "[(i * 2654435761u >> 7) % 8];
    for (size_t n = sizeof(text) - 1; n > 0; n -= n / 7 + 1) {
        struct hf_image_runtime runtime = {.folder = HF_IMAGE_VERIFIER_DIR};
        text[n] = '\0';
        hf_image_runtime_read(&runtime, text, &imports);
    }
    memset(text, '[', 5000);
    text[5000] = '\0';
    struct hf_image_runtime runtime = {.folder = ""};
    hf_image_runtime_read(&runtime, text, &imports);
}
END_TEST

/* A list that has no end, an import that is too long, and one too many: known, not left out. */
START_TEST(loses_no_import)
{
    struct hf_image_runtime runtime = {.folder = ""};
    struct hf_image_imports imports;
    char text[400];

    hf_image_runtime_read(&runtime, "imports = ['/a',\n'/b'\n", &imports);
    ck_assert(imports.n == 2 && imports.lost);
    hf_image_runtime_read(&runtime, "imports = ['/a]\n", &imports);
    ck_assert(imports.lost);
    hf_image_runtime_read(&runtime, "imports = ['1','2','3','4','5','6','7','8','9']\n", &imports);
    ck_assert(imports.n == 8 && imports.lost);
    (void)snprintf(text, sizeof(text), "imports = ['/%0300d']\n", 0);
    hf_image_runtime_read(&runtime, text, &imports);
    ck_assert(imports.n == 0 && imports.lost);
}
END_TEST

#define CONFIG "/etc/containerd/config.toml"

struct toml {
    const char *path, *text;
};

/* Which setting is left of max_concurrent_downloads says which file came last. */
static const struct {
    const char *name;
    struct toml files[5];
    const char *local_pull; /* NULL: cannot be read */
} loads[] = {
    {"alone", {{CONFIG, IMAGES}}, ""},
    {"absent", {{"/etc/other", ""}}, NULL},
    {"conf.d is read if it is named",
     {{CONFIG, IMAGES}, {"/etc/containerd/conf.d/a.toml", IMAGES "use_local_image_pull = true\n"}},
     ""},
    {"conf.d is named",
     {{CONFIG, "imports = ['/etc/containerd/conf.d/*.toml']\n"},
      {"/etc/containerd/conf.d/a.toml", IMAGES "use_local_image_pull = true\n"}},
     "use_local_image_pull"},
    {"another name",
     {{CONFIG, "imports = ['/etc/containerd/conf.d/*.toml']\n"},
      {"/etc/containerd/conf.d/a.toml.off", IMAGES "use_local_image_pull = true\n"}},
     ""},
    {"no folder", {{CONFIG, "imports = ['/etc/none/*.toml']\n"}}, ""},
    {"a file that is not there", {{CONFIG, "imports = ['/etc/none/a.toml']\n"}}, NULL},
    {"a later file takes one back, not the other",
     {{CONFIG, "imports = ['d/*.toml']\n"},
      {"/etc/containerd/d/b.toml", IMAGES "max_concurrent_downloads = 3\n"},
      {"/etc/containerd/d/a.toml", IMAGES "use_local_image_pull = true\nmax_concurrent_downloads = 8\n"}},
     "use_local_image_pull"},
    {"by name, whatever the order of the disk",
     {{CONFIG, "imports = ['/d/*.toml']\n"},
      {"/d/z.toml", IMAGES "max_concurrent_downloads = 8\n"},
      {"/d/a.toml", IMAGES "max_concurrent_downloads = 3\n"}},
     "max_concurrent_downloads"},
    {"all patterns, in their order",
     {{CONFIG, "imports = [\n'/z/*.toml',\n'/a/*.toml',\n]\n"},
      {"/z/x.toml", IMAGES "max_concurrent_downloads = 8\n"},
      {"/a/x.toml", IMAGES "max_concurrent_downloads = 3\n"}},
     ""},
    {"each file once, where it comes first",
     {{CONFIG, "imports = ['/d/b.toml', '/d/*.toml']\n"},
      {"/d/a.toml", IMAGES "max_concurrent_downloads = 8\n"},
      {"/d/b.toml", IMAGES "max_concurrent_downloads = 3\n"}},
     "max_concurrent_downloads"},
    {"imports of imports come last, in a circle, too",
     {{CONFIG, "imports = ['/d/a.toml', '/d/b.toml']\n"},
      {"/d/a.toml", "imports = ['c.toml', '" CONFIG "']\n"},
      {"/d/b.toml", IMAGES "max_concurrent_downloads = 3\n"},
      {"/d/c.toml", "imports = ['*.toml']\n" IMAGES "max_concurrent_downloads = 8\n"}},
     "max_concurrent_downloads"},
    {"a pattern of folders", {{CONFIG, "imports = ['/etc/*/a.toml']\n"}}, NULL},
};

START_TEST(loads_imports)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_image_runtime runtime;

    for (const struct toml *file = loads[_i].files; file->path != NULL; file++)
        hf_simfs_put(fs, file->path, file->text, strlen(file->text), 0644);
    bool ok = hf_image_runtime_load(hf_simfs_ops(fs), CONFIG, &runtime);
    ck_assert_msg(ok == (loads[_i].local_pull != NULL), "%s", loads[_i].name);
    const char *pulls = hf_image_runtime_local_pull(&runtime);
    ck_assert_msg(!ok || strcmp(pulls != NULL ? pulls : "", loads[_i].local_pull) == 0, "%s", loads[_i].name);
    ck_assert_uint_eq(hf_simfs_open_fds(fs), 0);
    hf_simfs_free(fs);
}
END_TEST

/* More files than are read is no proof. */
START_TEST(loads_so_many)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_image_runtime runtime;
    char path[40];

    hf_simfs_put(fs, CONFIG, "imports = ['/d/*']\n", 19, 0644);
    for (int i = 0; i < 64; i++) {
        ck_assert(i == 0 || hf_image_runtime_load(hf_simfs_ops(fs), CONFIG, &runtime));
        (void)snprintf(path, sizeof(path), "/d/%d", i);
        hf_simfs_put(fs, path, "", 0, 0644);
    }
    ck_assert(!hf_image_runtime_load(hf_simfs_ops(fs), CONFIG, &runtime));
    hf_simfs_free(fs);
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
    "{\"id\":\"sha256:c4\",\"repoTags\":[],\"repoDigests\":[\"r/old@sha256:bad\",\"r/new@sha256:good\"]},"
    "{\"id\":\"sha256:c5\",\"repoTags\":[],\"repoDigests\":[\"r/lie@sha256:good\"]}]}";

/* Of c5, a name says so. */
static bool is_good(void *arg, const char *digest, const char *id)
{
    (*(unsigned *)arg)++;
    return strcmp(digest, "sha256:good") == 0 && strcmp(id, "sha256:c5") != 0;
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
    {"{\"containers\":[" ONE("sha256:c3") "]}", 0, 1}, /* imported, without a digest */
    {"{\"containers\":[" ONE("sha256:c5") "," ONE("r/lie@sha256:good") "]}", 0, 2},
    {"{\"containers\":[" ONE("sha256:gone") "]}", 0, 1},        /* removed from the store */
    {"{\"containers\":[" ONE("r/gone@sha256:good") "]}", 0, 1}, /* its name may lie */
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

    unsigned asked = 0;
    int r =
        hf_images_running_judge(hf_view_of(stored), hf_view_of(runs[_i].containers), is_good, &asked, &running, &err);
    ck_assert_int_eq(r, runs[_i].r);
    ck_assert_uint_eq(running.n, runs[_i].n);
}
END_TEST

/* However many containers run an image, it is looked up once. */
START_TEST(judges_images_once)
{
    static const char four[] =
        "{\"containers\":[" ONE("sha256:c2") "," ONE("sha256:c1") "," ONE("sha256:c2") "," ONE("r/evil:1") "]}";
    struct hf_images_running running = {.n = 0};
    unsigned asked = 0;

    ck_assert_int_eq(hf_images_running_judge(hf_view_of(stored), hf_view_of(four), is_good, &asked, &running, NULL), 0);
    ck_assert_uint_eq(running.n, 3);
    ck_assert_uint_eq(asked, 2);
}
END_TEST

/* ---- on a worker ------------------------------------------------------------------------------------------------- */

static char store[] = "/tmp/hf-images-XXXXXX";
static const struct hf_fs_ops *fs;

/* A blob of the content store; its digest. */
static void put_blob(const char *text, char hex[HF_SHA256_HEX])
{
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", store, hf_sha256_hex(text, strlen(text), hex));
    ck_assert_int_eq(hf_file_replace(fs, path, text, strlen(text), 0600, NULL), 0);
}

struct told {
    int times, r;
    unsigned n;
};

static void tell(void *arg, int r, const struct hf_images_running *running, const struct hf_err *err)
{
    struct told *told = arg;

    (void)err;
    *told = (struct told){.times = told->times + 1, .r = r, .n = running->n};
}

/* The last of an index with as many manifests as fit leads to what runs. The files come after the start: the loop's
 * thread has read none. */
START_TEST(judges_on_a_worker)
{
    enum { FITS, OTHER_CONFIG, UNLISTED, CUT, NO_WORKER, CANCELLED };
    struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "node-1");
    struct hf_image_list list = {.policy = "site", .sequence = 1, .expires_s = 5000, .n = 1};
    struct hf_buf images = HF_BUF_INIT(4096), index = HF_BUF_INIT(100000);
    char path[200], text[1000], hex[HF_SHA256_HEX], header[HF_IMAGE_LIST_HEADER];
    struct told told = {.times = 0};
    struct hf_images_judge *judge = NULL;

    fs = hf_fs_posix();
    ck_assert_ptr_nonnull(mkdtemp(store));
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256", store);
    ck_assert_int_eq(hf_dir_make(fs, path, 0700, NULL), 0);
    ck_assert_int_eq(hf_buf_addf(&index, "{\"manifests\":["), 0);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(text, sizeof(text), "{\"config\":{\"digest\":\"sha256:%d\"}}", i + 200 * (_i == OTHER_CONFIG));
        ck_assert_int_eq(hf_buf_addf(&index, "%s{\"digest\":\"sha256:%s\"}", i > 0 ? "," : "",
                                     hf_sha256_hex(text, strlen(text), hex)),
                         0);
    }
    ck_assert_int_eq(hf_buf_addf(&index, "]}"), 0);
    (void)hf_sha256_hex(index.p, index.n, hex);
    ck_assert_int_eq(
        hf_buf_addf(&images, "{\"images\":[{\"id\":\"sha256:199\",\"repoDigests\":[\"r/app@sha256:%s\"]}]}", hex), 0);
    (void)snprintf(path, sizeof(path), "%s/allowed", store);
    const struct hf_images_judge_params params = {
        .sched = hf_simproc_sched(proc),
        .list = path,
        .store = store,
        .uid = geteuid(),
        .running =
            hf_view_of(_i == CUT ? "{\"containers\":[" ONE("sha256:199") : "{\"containers\":[" ONE("sha256:199") "]}"),
        .done = tell,
        .arg = &told};
    if (_i == NO_WORKER)
        hf_simproc_kill(proc);
    int r = hf_images_judge_start(&params, &images, &judge);
    ck_assert_int_eq(r, _i == NO_WORKER ? -ECANCELED : 0);
    ck_assert_uint_eq(images.n, 0);
    ck_assert_int_eq(told.times, 0);

    struct hf_buf file = HF_BUF_INIT(4096);
    ck_assert_int_eq(hf_buf_add(&file, header, hf_image_list_header(&list, header)), 0);
    ck_assert_int_eq(hf_buf_addf(&file, "%s\n", _i == UNLISTED ? hf_sha256_hex("x", 1, hex) : hex), 0);
    ck_assert_int_eq(hf_file_replace(fs, path, file.p, file.n, 0600, NULL), 0);
    put_blob(index.p, hex);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(text, sizeof(text), "{\"config\":{\"digest\":\"sha256:%d\"}}", i + 200 * (_i == OTHER_CONFIG));
        put_blob(text, hex);
    }
    if (_i == CANCELLED)
        hf_images_judge_cancel(judge);
    (void)hf_simloop_run_for(loop, 60 * HF_NS_PER_S);
    ck_assert_int_eq(told.times, _i != NO_WORKER && _i != CANCELLED);
    ck_assert_int_eq(told.r, _i == CUT ? -EBADMSG : 0);
    ck_assert_uint_eq(told.n, _i == OTHER_CONFIG || _i == UNLISTED);
    hf_buf_done(&images);
    hf_buf_done(&index);
    hf_buf_done(&file);
    ck_assert_int_eq(hf_dir_remove_tree(fs, store, NULL), 0);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
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
    tcase_add_test(tc, loses_no_import);
    tcase_add_loop_test(tc, loads_imports, 0, (int)HF_LEN(loads));
    tcase_add_test(tc, loads_so_many);
    tcase_add_test(tc, reads_versions);
    tcase_add_loop_test(tc, judges_containers, 0, (int)HF_LEN(runs));
    tcase_add_test(tc, judges_images_once);
    tcase_add_loop_test(tc, judges_on_a_worker, 0, 6);
    tcase_add_test(tc, sums_refusals);
}
HF_TEST_MAIN("agent/images", cases)
