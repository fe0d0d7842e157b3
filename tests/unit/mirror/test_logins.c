/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts in the place of the kubelet's plugins: right, wrong, slow, crashed, endless, gone; what is kept, and for
 * whom. The clock is the test's. */
#include "mirror/login/logins.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/loop.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/loop_for.h"

#define S UINT64_C(1000000000)
#define IMAGE "registry.example/team/app"
#define LINE "Authorization: Basic dTpw" /* u:p */

static struct hf_loop *loop;
static struct hf_logins *logins;
static char folder[32], config[64];
static uint64_t now_ns, hurry; /* by how much a plugin's deadline is shorter */
static char told[8][64];       /* what each ask got; "" : nothing yet */

static uint64_t mono_ns(void *ctx)
{
    (void)ctx;
    return now_ns;
}

static int spawn(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call, struct hf_err *err)
{
    struct hf_proc_request quick = *request;
    const struct hf_proc_ops *proc = hf_loop_proc(loop);

    (void)ctx;
    ck_assert_str_eq(request->resource, request->argv[0]); /* those that hang for ever do not pile up */
    quick.timeout_ns = request->timeout_ns / hurry;
    return proc->spawn(proc->ctx, &quick, ret_call, err);
}

static void cancel(void *ctx, struct hf_proc_call *call)
{
    const struct hf_proc_ops *proc = hf_loop_proc(loop);

    (void)ctx;
    proc->cancel(proc->ctx, call);
}

static void put(const char *name, mode_t mode, const char *format, ...) HF_PRINTF(3, 4);
static void put(const char *name, mode_t mode, const char *format, ...)
{
    char path[64];
    va_list args;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    (void)unlink(path);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    va_start(args, format);
    (void)vfprintf(file, format, args);
    va_end(args);
    (void)fclose(file);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static void put_config(const char *items)
{
    put("config.yaml", 0600, "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n%s",
        items);
}

#define ITEM(name, match)                                                                                              \
    "- {name: " name ", apiVersion: credentialprovider.kubelet.k8s.io/v1, defaultCacheDuration: 10m, "                 \
    "args: [get, \"a b\"], env: [{name: WORD, value: x y}], matchImages: [\"" match "\"]}\n"

#define ANSWER(scope, more, key)                                                                                       \
    "{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"kind\":\"CredentialProviderResponse\","                \
    "\"cacheKeyType\":\"" scope "\"" more ",\"auth\":{\"" key "\":{\"username\":\"u\",\"password\":\"p\"}}}"

/* A plugin that counts its runs, does `before`, and answers. */
static void put_plugin(const char *name, const char *before, const char *answer)
{
    put(name, 0700, "#!/bin/sh\necho run >>%s/runs\n%s\ncat <<'END'\n%s\nEND\n", folder, before, answer);
}

static size_t runs(void)
{
    char path[64];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/runs", folder);
    return stat(path, &st) == 0 ? (size_t)st.st_size / 4 : 0;
}

static void set_up(void)
{
    static const struct hf_clock_ops clock = {.mono_ns = mono_ns};
    static const struct hf_proc_ops proc = {.spawn = spawn, .cancel = cancel};
    struct hf_err err = HF_ERR_INIT;

    (void)snprintf(folder, sizeof(folder), "/tmp/hf-logins-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(config, sizeof(config), "%s/config.yaml", folder);
    now_ns = 1000 * S;
    hurry = 1;
    memset(told, 0, sizeof(told));
    loop = hf_loop_new(&err);
    ck_assert_msg(loop != NULL, "%s", err.cause);
    logins = hf_logins_new(&(const struct hf_logins_params){
        .sched = hf_loop_sched(loop), .clock = &clock, .fs = hf_fs_posix(), .proc = &proc});
    ck_assert_ptr_nonnull(logins);
    put_config(ITEM("plugin", "*.example"));
    put_plugin("plugin", "cat >/dev/null", ANSWER("Image", "", "*.example"));
    hf_logins_configure(logins, config, folder);
}

static void tear_down(void)
{
    char path[64];

    hf_logins_free(logins);
    hf_loop_free(loop);
    const char *const names[] = {"config.yaml", "plugin", "other", "runs", "input", "said", ""};
    for (size_t i = 0; i < HF_LEN(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)(names[i][0] != '\0' ? unlink(path) : rmdir(folder));
    }
}

static void done(void *arg, const char *line)
{
    (void)snprintf(arg, sizeof(told[0]), "%s", line != NULL ? line : "none");
}

static struct hf_login *begin(size_t i, const char *image)
{
    struct hf_login *login = NULL;
    const char *line = NULL;

    told[i][0] = '\0';
    int r = hf_login_start(logins, image, done, told[i], &line, &login);
    ck_assert_int_ge(r, 0);
    if (r == 0)
        done(told[i], line);
    return login;
}

static void wait_for(size_t i)
{
    loop_wait_for(loop, told[i][0] != '\0');
}

static void ask(const char *image, const char *want)
{
    (void)begin(0, image);
    wait_for(0);
    ck_assert_msg(strcmp(told[0], want) == 0, "%s: %s (%s)", image, told[0], hf_logins_problem(logins, image));
}

/* ---- right ------------------------------------------------------------------------------------------------------- */

START_TEST(the_plugin_answers)
{
    char text[2000], path[64], wanted[400];

    put("plugin", 0700,
        "#!/bin/sh\ncat >%s/input\necho \"$# $1 $2 $WORD $LANG $HOME\" >%s/said\necho noise >&2\necho '%s'\n", folder,
        folder, ANSWER("Image", "", "*.example"));
    (void)setenv("HOME", "/root", 1);
    ask(IMAGE, LINE);
    ck_assert_ptr_null(hf_logins_problem(logins, IMAGE));
    (void)snprintf(path, sizeof(path), "%s/input", folder);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
    (void)fclose(file);
    ck_assert_str_eq(text, "{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"kind\":"
                           "\"CredentialProviderRequest\",\"image\":\"" IMAGE "\"}");
    (void)snprintf(path, sizeof(path), "%s/said", folder);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(wanted, sizeof(wanted), file));
    (void)fclose(file);
    ck_assert_str_eq(wanted, "2 get a b x y C \n");
}
END_TEST

START_TEST(no_plugin_is_for_it)
{
    ask("registry.elsewhere/team/app", "none");
    ck_assert_uint_eq(runs(), 0);
    ck_assert_ptr_null(hf_logins_problem(logins, "registry.elsewhere/team/app"));
    hf_logins_configure(logins, NULL, NULL);
    ask(IMAGE, "none");
    ck_assert_ptr_null(hf_logins_problem(logins, IMAGE));
    hf_logins_configure(logins, config, NULL);
    ask(IMAGE, "none");
    ck_assert_uint_eq(runs(), 0);
}
END_TEST

static const struct {
    const char *answer, *second;
    size_t after_second, after_time; /* runs */
} kept[] = {
    {ANSWER("Image", "", "*.example"), IMAGE, 1, 2},
    {ANSWER("Image", "", "*.example"), "registry.example/team/other", 2, 3},
    {ANSWER("Registry", "", "*.example"), "registry.example/other", 1, 2},
    {ANSWER("Registry", "", "*.example"), "second.example/team/app", 2, 3},
    {ANSWER("Global", "", "*.example"), "second.example/other", 1, 2},
    {ANSWER("Image", ",\"cacheDuration\":\"0s\"", "*.example"), IMAGE, 2, 3},
    {ANSWER("Image", ",\"cacheDuration\":\"24h\"", "*.example"), IMAGE, 1, 1},
};

START_TEST(answers_are_kept)
{
    put_plugin("plugin", "", kept[_i].answer);
    ask(IMAGE, LINE);
    ask(kept[_i].second, LINE);
    ck_assert_uint_eq(runs(), kept[_i].after_second);
    now_ns += 601 * S;
    ask(IMAGE, LINE);
    ck_assert_uint_eq(runs(), kept[_i].after_time);
}
END_TEST

START_TEST(one_run_for_all_who_wait)
{
    put_plugin("plugin", "sleep 0.1", ANSWER("Image", "", "*.example"));
    for (size_t i = 0; i < 4; i++)
        (void)begin(i, IMAGE);
    struct hf_login *gone = begin(4, IMAGE);
    (void)begin(5, "registry.example/other"); /* waits for its turn */
    hf_login_cancel(gone);
    for (size_t i = 0; i < 4; i++) {
        wait_for(i);
        ck_assert_str_eq(told[i], LINE);
    }
    wait_for(5);
    ck_assert_str_eq(told[5], LINE);
    ck_assert_str_eq(told[4], "");
    ck_assert_uint_eq(runs(), 2);
    /* also where nothing is kept */
    put_plugin("plugin", "sleep 0.1", ANSWER("Image", ",\"cacheDuration\":\"0\"", "*.example"));
    for (size_t i = 0; i < 4; i++)
        (void)begin(i, "registry.example/third");
    for (size_t i = 0; i < 4; i++)
        wait_for(i);
    ck_assert_uint_eq(runs(), 3);
}
END_TEST

START_TEST(the_next_provider)
{
    put_config(ITEM("other", "*.example") ITEM("plugin", "registry.example"));
    put_plugin("other", "exit 1", "");
    put_plugin("plugin", "", ANSWER("Image", "", "registry.example"));
    ask(IMAGE, LINE);
    ask("second.example/app", "none");
    ck_assert_ptr_nonnull(
        strstr(hf_logins_problem(logins, "second.example/app"), "'other': it ended with exit code 1"));
    put_plugin("other", "", ANSWER("Image", "", "elsewhere")); /* has none for it */
    now_ns += 601 * S;
    ask(IMAGE, LINE);
}
END_TEST

static void done_and_asks_anew(void *arg, const char *line)
{
    static const char *const images[] = {"second.example/app", "second.example/app", IMAGE};
    struct hf_login *login;
    const char *none;

    done(arg, line);
    for (size_t i = 0; i < HF_LEN(images); i++)
        ck_assert_int_eq(hf_login_start(logins, images[i], done, told[2 + i], &none, &login), 1);
}

/* An answer that is not kept is for nobody who asks later, least of all for another image. */
START_TEST(told_and_asks_anew)
{
    struct hf_login *login;
    const char *line;

    put_plugin("plugin", "sleep 0.1", ANSWER("Image", ",\"cacheDuration\":\"0\"", "registry.example"));
    ck_assert_int_eq(hf_login_start(logins, IMAGE, done_and_asks_anew, told[0], &line, &login), 1);
    (void)begin(1, IMAGE);
    for (size_t i = 0; i < 5; i++)
        wait_for(i);
    ck_assert_str_eq(told[0], LINE);
    ck_assert_str_eq(told[1], LINE);
    ck_assert_str_eq(told[2], "none");
    ck_assert_str_eq(told[3], "none");
    ck_assert_str_eq(told[4], LINE);
    ck_assert_uint_eq(runs(), 3);
}
END_TEST

/* Who waits for the second provider begins with the first one of a new file. */
START_TEST(another_file_while_one_waits)
{
    put_config(ITEM("other", "*.example") ITEM("plugin", "*.example"));
    put_plugin("other", "exit 1", "");
    put_plugin("plugin", "sleep 0.3", ANSWER("Image", "", "*.example"));
    (void)begin(0, "registry.example/first");
    (void)begin(1, IMAGE);
    loop_wait_for(loop, runs() == 3);
    put_config(ITEM("plugin", "*.example"));
    now_ns += 31 * S;
    wait_for(1);
    ck_assert_str_eq(told[1], LINE);
}
END_TEST

/* ---- wrong ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *before, *answer, *want;
} wrong[] = {
    {"echo secret", "", "its answer is not JSON"},
    {"echo secret >&2; exit 3", "", "it ended with exit code 3"},
    {"kill -SEGV $$", "", "signal 11 ended it"},
    {"sleep 20", "", "it did not answer within 30 seconds"},
    {"trap '' TERM; while :; do sleep 1; done", "", "it did not answer within 30 seconds"},
    {"exec yes", "", "it did not answer within 30 seconds"},
    {"head -c 10000000 /dev/zero | tr '\\0' ' '", ANSWER("Image", "", "*.example"), "its answer has more than 64 KiB"},
    {"", "", "its answer is not JSON"},
    {"", ANSWER("Ever", "", "*.example"), "its answer has no cacheKeyType"},
    {"", ANSWER("Image", "", "*.example") "}", "its answer is not JSON"},
};

START_TEST(a_wrong_plugin)
{
    if (strstr(wrong[_i].want, "seconds") != NULL)
        hurry = 20;
    put_plugin("plugin", wrong[_i].before, wrong[_i].answer);
    ask(IMAGE, "none");
    const char *problem = hf_logins_problem(logins, IMAGE);
    ck_assert_msg(problem != NULL && strncmp(problem, "credential provider 'plugin': ", 30) == 0 &&
                      strstr(problem, wrong[_i].want) != NULL && strstr(problem, "secret") == NULL,
                  "%s", problem);
    hurry = 1;
    /* for a while it is not run again for this image */
    put_plugin("plugin", "", ANSWER("Image", "", "*.example"));
    ask(IMAGE, "none");
    ck_assert_uint_eq(runs(), 1);
    now_ns += 31 * S;
    ask(IMAGE, LINE);
    ck_assert_ptr_null(hf_logins_problem(logins, IMAGE));
}
END_TEST

START_TEST(expired_and_failing)
{
    put_plugin("plugin", "", ANSWER("Image", ",\"cacheDuration\":\"1m\"", "*.example"));
    ask(IMAGE, LINE);
    put_plugin("plugin", "exit 1", "");
    now_ns += 59 * S;
    ask(IMAGE, LINE);
    now_ns += 2 * S;
    ask(IMAGE, "none"); /* not with what has expired */
    ck_assert_ptr_nonnull(hf_logins_problem(logins, IMAGE));
}
END_TEST

static void check_unusable(const char *problem)
{
    now_ns += 31 * S;
    ask(IMAGE, "none");
    const char *said = hf_logins_problem(logins, IMAGE);
    ck_assert_msg(said != NULL && strstr(said, problem) != NULL, "%s", said);
}

START_TEST(files_that_cannot_be_used)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/plugin", folder);
    (void)unlink(path);
    check_unusable("credential provider 'plugin' cannot be run: it cannot be found");
    put("plugin", 0600, "#!/bin/sh\n");
    check_unusable("it is not executable");
    put("plugin", 0722, "#!/bin/sh\n");
    check_unusable("it is writable by group or others");
    put("config.yaml", 0622, "x");
    check_unusable("config.yaml cannot be used: it is writable by group or others");
    put("config.yaml", 0600, "apiVersion: kubelet.config.k8s.io/v1\n");
    check_unusable("config.yaml cannot be used: expected apiVersion");
    (void)unlink(config);
    check_unusable("config.yaml cannot be used: it cannot be found");
    ck_assert_uint_eq(runs(), 0);
    put_config(ITEM("plugin", "*.example"));
    put_plugin("plugin", "", ANSWER("Image", "", "*.example"));
    now_ns += 31 * S;
    ask(IMAGE, LINE);
    put_config(ITEM("plugin", "*.example") ITEM("other", "*")); /* another file: asked again */
    now_ns += 31 * S;
    ask("registry.example/second", LINE);
    ask(IMAGE, LINE);
    ck_assert_uint_eq(runs(), 3);
}
END_TEST

/* agent.yaml is read again while the provider is away: pulls go on with the kept login. A failure is not kept. */
START_TEST(read_again)
{
    ask(IMAGE, LINE);
    put_plugin("plugin", "exit 1", "");
    hf_logins_configure(logins, config, folder);
    ask(IMAGE, LINE);
    ck_assert_uint_eq(runs(), 1);
    ask("registry.example/second", "none");
    ask("registry.example/second", "none");
    ck_assert_uint_eq(runs(), 2);
    hf_logins_configure(logins, config, folder);
    ask("registry.example/second", "none");
    ck_assert_uint_eq(runs(), 3);
}
END_TEST

/* The owner goes while a worker reads, and while a plugin runs. */
START_TEST(ends_in_the_middle)
{
    hf_login_cancel(begin(0, IMAGE));
    hf_logins_configure(logins, NULL, NULL);
    hf_logins_configure(logins, config, folder);
    put_plugin("plugin", "sleep 5", "");
    struct hf_login *login = begin(1, IMAGE);
    loop_wait_for(loop, runs() == 1);
    hf_login_cancel(login);
    loop_run_for(loop, 20 * HF_NS_PER_MS);
    (void)begin(2, "registry.example/other");
    hf_logins_configure(logins, NULL, NULL); /* who waits goes without */
    ck_assert_str_eq(told[2], "none");
    ck_assert(told[0][0] == '\0' && told[1][0] == '\0');
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, the_plugin_answers);
    tcase_add_test(tc, no_plugin_is_for_it);
    tcase_add_loop_test(tc, answers_are_kept, 0, HF_LEN(kept));
    tcase_add_test(tc, one_run_for_all_who_wait);
    tcase_add_test(tc, the_next_provider);
    tcase_add_test(tc, told_and_asks_anew);
    tcase_add_test(tc, another_file_while_one_waits);
    tcase_add_loop_test(tc, a_wrong_plugin, 0, HF_LEN(wrong));
    tcase_add_test(tc, expired_and_failing);
    tcase_add_test(tc, files_that_cannot_be_used);
    tcase_add_test(tc, read_again);
    tcase_add_test(tc, ends_in_the_middle);
}

HF_TEST_MAIN("mirror/login/logins", cases)
