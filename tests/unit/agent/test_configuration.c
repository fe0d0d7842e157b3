/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that worked last: kept after --probation, used at a start that cannot use the file. */
#include "agent/process/configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/fakes/simloop.h"

#define GOOD "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nexec: [/bin/true]\n"
#define BETTER "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nexec: [/bin/true, /bin/false]\n"
#define BAD "}{"

static char dir[] = "/tmp/hf-configuration-XXXXXX", file[64], kept[64];

struct scene {
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_agent_options options;
    struct hf_agent_configuration c;
};

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

/* The start of an agent, with this text in the file; NULL: without the file. */
static void start(struct scene *s, const char *text)
{
    *s = (struct scene){.loop = hf_simloop_new(0),
                        .options = {.config = file, .state_dir = dir, .probation_ns = 60 * HF_NS_PER_S}};
    s->proc = hf_simproc_new(s->loop, "node");
    s->c = (struct hf_agent_configuration){.options = &s->options, .fs = hf_fs_posix()};
    if (text != NULL)
        put(file, text);
    else
        ck_assert(unlink(file) == 0 || errno == ENOENT);
    ck_assert_int_eq(hf_agent_configuration_read(&s->c, NULL), 1);
    ck_assert_int_eq(hf_agent_configuration_keep(&s->c, hf_simproc_sched(s->proc)), 0);
}

static void run_s(struct scene *s, unsigned seconds)
{
    (void)hf_simloop_run_for(s->loop, seconds * HF_NS_PER_S);
}

static void end(struct scene *s)
{
    hf_agent_configuration_done(&s->c);
    hf_simproc_free(s->proc);
    hf_simloop_free(s->loop);
}

static bool allows(const struct scene *s, const char *program)
{
    return hf_config_allows_exec(s->c.now, program, NULL);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(file, sizeof(file), "%s/agent.yaml", dir);
    (void)snprintf(kept, sizeof(kept), "%s/" HF_LAST_CONFIGURATION, dir);
}

static void tear_down(void)
{
    char damaged[96];

    (void)snprintf(damaged, sizeof(damaged), "%s.damaged", kept);
    (void)unlink(file);
    (void)unlink(kept);
    (void)unlink(damaged);
    (void)rmdir(dir);
}

/* Lets an agent with this text live long enough. */
static void works(const char *text)
{
    struct scene s;

    start(&s, text);
    run_s(&s, 61);
    end(&s);
}

START_TEST(used_at_a_start)
{
    struct scene s;

    start(&s, GOOD);
    run_s(&s, 59);
    ck_assert(!is_there(kept));
    run_s(&s, 2);
    ck_assert(is_there(kept));
    end(&s);
    start(&s, BAD);
    ck_assert(hf_config_is_usable(s.c.now) && allows(&s, "/bin/true") && !allows(&s, "/bin/false"));
    ck_assert(!hf_config_requires_signed_policy(s.c.now));
    const char *fault = hf_config_fault(s.c.now, 0);
    ck_assert_msg(strncmp(fault, file, strlen(file)) == 0 && strstr(fault, "worked last is in effect") != NULL, "%s",
                  fault);
    run_s(&s, 200); /* it is no new one */
    ck_assert_int_eq(hf_agent_configuration_read(&s.c, NULL), 0);
    put(file, GOOD); /* mended: the fault goes */
    ck_assert_int_eq(hf_agent_configuration_read(&s.c, NULL), 1);
    ck_assert_uint_eq(hf_config_n_faults(s.c.now), 0);
    end(&s);
}
END_TEST

START_TEST(without_a_copy)
{
    struct scene s;

    start(&s, BAD);
    ck_assert(!hf_config_is_usable(s.c.now) && hf_config_requires_signed_policy(s.c.now));
    run_s(&s, 200);
    ck_assert(!is_there(kept));
    end(&s);
    works(GOOD);
    put(kept, "holdfast-configuration 1 0000\n" GOOD);
    start(&s, BAD); /* a damaged copy is none */
    ck_assert(!hf_config_is_usable(s.c.now) && hf_config_requires_signed_policy(s.c.now) && !is_there(kept));
    end(&s);
}
END_TEST

START_TEST(reloads)
{
    struct scene s;

    start(&s, GOOD);
    run_s(&s, 40);
    put(file, BETTER);
    ck_assert_int_eq(hf_agent_configuration_read(&s.c, NULL), 1);
    run_s(&s, 59); /* the time begins again */
    ck_assert(!is_there(kept));
    run_s(&s, 2);
    ck_assert(is_there(kept));
    put(file, GOOD); /* not read before it is kept: it waits for its own turn */
    run_s(&s, 100);
    end(&s);
    start(&s, BAD);
    ck_assert(allows(&s, "/bin/false"));
    end(&s);
}
END_TEST

START_TEST(file_is_gone)
{
    struct scene s;

    works(GOOD);
    works(NULL); /* the defaults have worked: no copy of an older one comes back */
    ck_assert(!is_there(kept));
    works(GOOD);
    start(&s, NULL);
    ck_assert(allows(&s, "/bin/false"));
    end(&s);
    ck_assert(is_there(kept));
}
END_TEST

START_TEST(writes_once)
{
    struct stat before, after;

    works(GOOD);
    ck_assert_int_eq(stat(kept, &before), 0);
    works(GOOD);
    ck_assert_int_eq(stat(kept, &after), 0);
    ck_assert(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    ck_assert_uint_eq(after.st_mode & 0777, 0600);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, used_at_a_start);
    tcase_add_test(tc, without_a_copy);
    tcase_add_test(tc, reloads);
    tcase_add_test(tc, file_is_gone);
    tcase_add_test(tc, writes_once);
}
HF_TEST_MAIN("agent/configuration", cases)
