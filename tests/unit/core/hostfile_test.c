/* SPDX-License-Identifier: BSD-3-Clause */
/* Host lines and whole hostfiles: items HF-1..HF-8. */
#include "core/hostfile.h"

#include "base/mem.h"
#include "base/str.h"
#include "tap.h"

static char log_text[4096];

static void keep_log(void *context, enum log_level level, const char *line)
{
    size_t length = strlen(log_text);
    (void)context;
    (void)level;
    str_format(log_text + length, sizeof(log_text) - length, "%s\n", line);
}

static const struct log_sink sink = {keep_log, NULL, LOG_LEVEL_DEBUG};

static void read_file(struct hostfile *hostfile, const char *text)
{
    log_text[0] = '\0';
    hostfile_init(hostfile);
    EQUAL(hostfile_read(hostfile, "hosts", text, &sink), 0, "the file is read");
}

static void test_options(void)
{
    struct host_spec spec;
    char error[256];
    EQUAL(host_spec_parse("  node1 lo=me dx=/x/pvmd ep=$HOME/bin:/b wd=/tmp bx=gdb so=ms ip=n1 "
                          "id=v sp=500", false, &spec, error, sizeof(error)), 0, "all options");
    SAME_TEXT(spec.name, "node1", "name");
    SAME_TEXT(spec.login, "me", "lo=");
    SAME_TEXT(spec.daemon, "/x/pvmd", "dx=");
    SAME_TEXT(spec.path, "$HOME/bin:/b", "ep= as it stands: the daemon expands it");
    SAME_TEXT(spec.directory, "/tmp", "wd=");
    SAME_TEXT(spec.debugger, "gdb", "bx=");
    SAME_TEXT(spec.address, "n1", "ip=");
    SAME_TEXT(spec.vmid, "v", "id=");
    EQUAL(spec.speed, 500, "sp=");
    EQUAL(host_spec_starter(&spec), HOST_STARTER_MANUAL, "so=ms is by hand");
    host_spec_fini(&spec);
    host_spec_parse("n sp=1 sp=2 lo=a lo=b", false, &spec, error, sizeof(error));
    SAME_TEXT(spec.login, "a", "of two, the earlier one counts");
    EQUAL(spec.speed, 1, "also of numbers");
    EQUAL(host_spec_starter(&spec), HOST_STARTER_SSH, "the rest goes by ssh");
    host_spec_fini(&spec);
}

static void refused(const char *line, const char *words)
{
    struct host_spec spec;
    char error[256] = "";
    EQUAL(host_spec_parse(line, false, &spec, error, sizeof(error)), -1, line);
    OK(strstr(error, words), words);
}

static void test_refusals(void)
{
    char line[HOST_LINE_BYTES_MAX + 10];
    refused("", "no host name");
    refused("   ", "no host name");
    refused("node xx=1", "unknown option \"xx=1\": known are lo= dx=");
    refused("node lo", "unknown option");
    refused("node sp=fast", "sp= takes a positive number");
    refused("* sp=1", "for host files only");
    refused("& node", "for host files only");
    refused("local:0", "must be 1 to 4094");
    refused("local:5000", "must be 1 to 4094");
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    refused(line, "longer than 4096 bytes");
    line[300] = '\0';
    refused(line, "is no host name");
    str_copy(line, sizeof(line), "node");
    for (int i = 0; i < HOST_WORDS_MAX; i++)
        str_copy(line + strlen(line), sizeof(line) - strlen(line), " lo=a");
    refused(line, "more than 64 words");
}

static void test_file(void)
{
    struct hostfile file;
    read_file(&file, "# comment\n"
                     "\n"
                     "first sp=10\n"
                     "* ep=/all lo=you\n"
                     "second\r\n"
                     "third lo=me\n"
                     "bad zz=9\n"
                     "* wd=/other\n"
                     "& later sp=7\n"
                     "&$ twice\n"
                     "local:3");
    EQUAL(file.count, 6, "six hosts");
    OK(!file.specs[0].path, "a default holds only below its line");
    SAME_TEXT(file.specs[1].path, "/all", "then it does");
    SAME_TEXT(file.specs[2].login, "me", "but what a line says goes first");
    OK(!file.specs[3].path, "a new * forgets the old one");
    OK(file.specs[3].deferred && !file.specs[3].duplicate_allowed, "& is remembered, not started");
    OK(file.specs[4].deferred && file.specs[4].duplicate_allowed, "& and $ together");
    EQUAL(file.specs[5].local_count, 3, "local:3 is three hosts of this machine");
    EQUAL(host_spec_starter(&file.specs[5]), HOST_STARTER_LOCAL, "without ssh");
    EQUAL(file.errors, 1, "one line is left out");
    OK(strstr(log_text, "hosts:7: unknown option \"zz=9\""), "with its place in the file");
    hostfile_fini(&file);
}

static void test_added_later(void)
{
    struct hostfile file;
    struct host_spec spec;
    char error[128];
    read_file(&file, "& later sp=7 ep=/later\n* lo=all\n");
    host_spec_parse("later wd=/w", false, &spec, error, sizeof(error));
    EQUAL(hostfile_complete(&file, &spec), 0, "a host that the file knows");
    EQUAL(spec.speed, 7, "has what the file says");
    SAME_TEXT(spec.path, "/later", "all of it");
    SAME_TEXT(spec.directory, "/w", "and what was said now");
    OK(!spec.login, "its line was above the *");
    host_spec_fini(&spec);
    host_spec_parse("other", false, &spec, error, sizeof(error));
    hostfile_complete(&file, &spec);
    SAME_TEXT(spec.login, "all", "one that it does not know has the last defaults");
    host_spec_fini(&spec);
    hostfile_fini(&file);
}

static void test_limits(void)
{
    struct hostfile file;
    char *text = mem_alloc(HOST_LINE_BYTES_MAX * 2);
    memset(text, 'y', HOST_LINE_BYTES_MAX * 2);
    str_copy(text + HOST_LINE_BYTES_MAX + 100, 20, "\nnext\nnext\n");
    read_file(&file, text);
    EQUAL(file.count, 1, "a line too long is left out, a name twice counts once");
    OK(strstr(log_text, "hosts:1: longer than 4096 bytes"), "both are told: length");
    OK(strstr(log_text, "hosts:3: this host is named above"), "and name");
    hostfile_fini(&file);
    mem_free(text);
}

static void test_without_memory(void)
{
    for (uint64_t nth = 1; nth < 20; nth++) {
        struct hostfile file;
        hostfile_init(&file);
        mem_fail_at(nth, 0);
        int result = hostfile_read(&file, "hosts", "* lo=a\none ep=/x\ntwo wd=/y\n", &sink);
        mem_fail_at(0, 0);
        OK(result == -1 || file.count + file.errors >= 1, "no memory is an error and nothing else");
        hostfile_fini(&file);
    }
}

int main(void)
{
    TEST(test_options);
    TEST(test_refusals);
    TEST(test_file);
    TEST(test_added_later);
    TEST(test_limits);
    TEST(test_without_memory);
    return tap_done();
}
