package org.malote.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.malote.smtp.IpAddresses;
import org.malote.smtp.Printable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TLSARecord;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;
import org.xbill.DNS.config.ResolvConfResolverConfigProvider;

/// Names looked up at recursive servers, with dnsjava's messages. Equal questions that are asked at
/// the same time are one query; answers are kept for their time to live.
///
/// For any thread. Each query runs as one task on the given executor and blocks it, so that the
/// executor should start a virtual thread for each; there is nothing to close.
public final class DnsjavaDns implements Dns {
    private static final Logger LOG = LoggerFactory.getLogger(DnsjavaDns.class);

    /// Aliases followed from one name. RFC 1034 §3.6.2 asks for chains to work and to be avoided;
    /// real ones have three or four links.
    static final int ALIASES_MAX = 10;

    /// Queries for one look-up, when a server leaves the end of a chain to us.
    private static final int CHAIN_QUERIES_MAX = 4;

    /// RFC 2181 §8: a larger time to live is none.
    private static final long TTL_SECONDS_MAX = Integer.MAX_VALUE;

    /// What a negative answer or a failure holds beside its entry in the cache.
    private static final int SMALL_OCTETS = 64;

    private static final int DNS_PORT = 53;

    private final DnsSettings settings;
    private final List<InetSocketAddress> servers;
    private final Executor queries;
    private final LongSupplier nanoTime;
    private final Exchange exchange;

    private final Object lock = new Object();
    // Guarded by the lock, up to `liked`.
    private final AnswerCache cache;
    private final Map<Question, List<Consumer<DnsAnswer>>> listeners = new HashMap<>();
    private final Queue<Question> waiting = new ArrayDeque<>();
    private int listening;
    private int inFlight;

    /// The index of the server that answered last: a dead one at the head of the list then costs
    /// its timeout once.
    private volatile int liked;

    /// @param queries runs the queries; its tasks wait for servers
    /// @param nanoTime monotonic time
    public DnsjavaDns(DnsSettings settings, Executor queries, LongSupplier nanoTime) {
        this.settings = settings;
        this.servers = settings.servers().isEmpty() ? systemServers() : settings.servers();
        this.queries = queries;
        this.nanoTime = nanoTime;
        this.exchange = new Exchange(nanoTime, settings.timeout());
        this.cache = new AnswerCache(settings.cacheOctetsMax());
    }

    /// The servers that are asked, in order.
    public List<InetSocketAddress> servers() {
        return servers;
    }

    @Override
    public void lookup(String name, RecordType type, Consumer<DnsAnswer> answered) {
        String ascii = Idna.toAscii(name);
        if (ascii == null) {
            answered.accept(new DnsAnswer.NoSuchName());
            return;
        }
        DnsAnswer local = localhost(ascii, type);
        if (local != null) {
            answered.accept(local);
            return;
        }
        Question question = new Question(ascii, type);
        DnsAnswer known = knownOrListen(question, answered);
        if (known != null) {
            answered.accept(known);
        }
    }

    /// An answer at once, or null when the caller will be told.
    private @Nullable DnsAnswer knownOrListen(Question question, Consumer<DnsAnswer> answered) {
        synchronized (lock) {
            DnsAnswer kept = cache.find(question, nanoTime.getAsLong());
            if (kept != null) {
                return kept;
            }
            if (listening >= settings.lookupsWaitingMax()) {
                return new DnsAnswer.TryLater("too many DNS look-ups are waiting for an answer");
            }
            listening++;
            List<Consumer<DnsAnswer>> others = listeners.get(question);
            if (others != null) {
                others.add(answered);
                return null;
            }
            List<Consumer<DnsAnswer>> first = new ArrayList<>(1);
            first.add(answered);
            listeners.put(question, first);
            if (inFlight >= settings.queriesInFlightMax()) {
                waiting.add(question);
                return null;
            }
            inFlight++;
        }
        try {
            queries.execute(() -> work(question));
        } catch (RejectedExecutionException e) {
            drop(question, new DnsAnswer.TryLater("DNS look-ups have stopped"));
        }
        return null;
    }

    /// Answers one question after the other while some wait.
    private void work(Question first) {
        for (Question question = first; question != null; ) {
            Outcome outcome;
            try {
                outcome = resolve(question);
            } catch (RuntimeException e) {
                LOG.error("The look-up of {} failed by a fault of ours", question, e);
                outcome = failure("a fault in the DNS client");
            }
            question = finish(question, outcome);
        }
    }

    /// Keeps and tells the answer, and takes the next question.
    private @Nullable Question finish(Question question, Outcome outcome) {
        List<Consumer<DnsAnswer>> told;
        Question next;
        synchronized (lock) {
            cache.keep(
                    question,
                    outcome.answer(),
                    nanoTime.getAsLong(),
                    outcome.ttl().toNanos(),
                    outcome.octets());
            told = takeListeners(question);
            next = waiting.poll();
            if (next == null) {
                inFlight--;
            }
        }
        tell(told, outcome.answer());
        return next;
    }

    /// The executor has stopped: whoever waits is told so.
    private void drop(Question first, DnsAnswer answer) {
        for (Question question = first; question != null; ) {
            List<Consumer<DnsAnswer>> told;
            synchronized (lock) {
                told = takeListeners(question);
                question = waiting.poll();
                if (question == null) {
                    inFlight--;
                }
            }
            tell(told, answer);
        }
    }

    private List<Consumer<DnsAnswer>> takeListeners(Question question) {
        List<Consumer<DnsAnswer>> taken = listeners.remove(question);
        if (taken == null) {
            throw new IllegalStateException("nobody waits for " + question);
        }
        listening -= taken.size();
        return taken;
    }

    private static void tell(List<Consumer<DnsAnswer>> listeners, DnsAnswer answer) {
        for (Consumer<DnsAnswer> listener : listeners) {
            try {
                listener.accept(answer);
            } catch (RuntimeException e) {
                LOG.error("Whoever asked the DNS failed on the answer", e);
            }
        }
    }

    /// An answer, how long it may be kept and what it weighs.
    private record Outcome(DnsAnswer answer, Duration ttl, int octets) {}

    private Outcome failure(String reason) {
        return new Outcome(new DnsAnswer.TryLater(reason), settings.failureTtl(), SMALL_OCTETS);
    }

    /// Follows a name to its records, over several queries when servers answer with a part of the
    /// chain only.
    private Outcome resolve(Question question) {
        Name current;
        try {
            current = Name.fromString(question.name() + ".");
        } catch (TextParseException e) {
            return new Outcome(new DnsAnswer.NoSuchName(), settings.negativeTtlMax(), SMALL_OCTETS);
        }
        Set<Name> seen = new HashSet<>();
        seen.add(current);
        long ttlSeconds = TTL_SECONDS_MAX;
        boolean authentic = true;
        for (int query = 0; query < CHAIN_QUERIES_MAX; query++) {
            Reply reply;
            try {
                reply = ask(current, question.type());
            } catch (IOException e) {
                return failure(String.valueOf(e.getMessage()));
            }
            Message message = reply.message();
            authentic &= reply.isAuthentic();
            List<Record> answers = message.getSection(Section.ANSWER);
            // The chain within this answer.
            Name start = current;
            for (CNAMERecord alias = alias(answers, current);
                    alias != null;
                    alias = alias(answers, current)) {
                current = alias.getTarget();
                ttlSeconds = Math.min(ttlSeconds, ttl(alias));
                if (!seen.add(current)) {
                    return failure("the aliases of " + question.name() + " go in a circle");
                }
                if (seen.size() > ALIASES_MAX + 1) {
                    return failure("the aliases of " + question.name() + " are too many");
                }
            }
            // RFC 6604 §3: the code speaks of the last name of the chain.
            if (message.getRcode() == Rcode.NXDOMAIN) {
                return negative(new DnsAnswer.NoSuchName(), message);
            }
            List<DnsRecord> records = new ArrayList<>();
            for (Record record : answers) {
                if (record.getType() == question.type().code()
                        && record.getDClass() == DClass.IN
                        && record.getName().equals(current)) {
                    records.add(convert(record));
                    ttlSeconds = Math.min(ttlSeconds, ttl(record));
                }
            }
            if (!records.isEmpty()) {
                return new Outcome(
                        new DnsAnswer.Records(records, ttlSeconds, authentic),
                        atMost(Duration.ofSeconds(ttlSeconds), settings.ttlMax()),
                        reply.octets());
            }
            if (current.equals(start) || startOfAuthority(message) != null) {
                return negative(new DnsAnswer.NoData(), message);
            }
        }
        return failure("the aliases of " + question.name() + " lead through too many servers");
    }

    private Outcome negative(DnsAnswer answer, Message message) {
        SOARecord soa = startOfAuthority(message);
        // RFC 2308 §5: without a SOA it is not kept.
        Duration ttl =
                soa == null
                        ? Duration.ZERO
                        : atMost(
                                Duration.ofSeconds(Math.min(ttl(soa), soa.getMinimum())),
                                settings.negativeTtlMax());
        return new Outcome(answer, ttl, SMALL_OCTETS);
    }

    /// What a server said, and whether it is to be believed that it validated it.
    private record Reply(Message message, int octets, boolean isAuthentic) {}

    /// Asks the servers in turn until one gives an answer that means something.
    private Reply ask(Name name, RecordType type) throws IOException {
        String trouble = "there is no DNS server to ask";
        int first = liked;
        for (int attempt = 0; attempt < settings.tries() * servers.size(); attempt++) {
            int index = (first + attempt) % servers.size();
            InetSocketAddress server = servers.get(index);
            try {
                Exchange.Response response = askOne(server, name, type);
                String refusal = refusal(response.message());
                if (refusal == null) {
                    liked = index;
                    return new Reply(
                            response.message(),
                            response.octets(),
                            // RFC 6840 §5.8: worth as much as the way to the server.
                            server.getAddress().isLoopbackAddress()
                                    && response.message().getHeader().getFlag(Flags.AD));
                }
                trouble = text(server) + " answered " + refusal;
            } catch (SocketTimeoutException e) {
                trouble = text(server) + " did not answer in time";
            } catch (PortUnreachableException e) {
                trouble = "nothing answers DNS at " + text(server);
            } catch (IOException e) {
                trouble = text(server) + " could not be asked: " + e.getMessage();
            }
        }
        throw new IOException(trouble + " for " + Type.string(type.code()) + " of " + shown(name));
    }

    private Exchange.Response askOne(InetSocketAddress server, Name name, RecordType type)
            throws IOException {
        Message query = query(name, type);
        Message plain = query.clone();
        query.addRecord(new OPTRecord(Exchange.EDNS_OCTETS, 0, 0), Section.ADDITIONAL);
        Exchange.Response response = exchange.ask(server, query);
        int code = response.message().getRcode();
        // RFC 6891 §7: a server that knows no EDNS says so in one of these ways.
        return code == Rcode.FORMERR || code == Rcode.NOTIMP || code == Rcode.BADVERS
                ? exchange.ask(server, plain)
                : response;
    }

    private static Message query(Name name, RecordType type) {
        Message query = Message.newQuery(Record.newRecord(name, type.code(), DClass.IN));
        query.getHeader().setFlag(Flags.AD); // RFC 6840 §5.7: we understand the bit
        return query;
    }

    /// Why an answer means nothing, or null when it does.
    private static @Nullable String refusal(Message message) {
        int code = message.getRcode();
        if (code != Rcode.NOERROR && code != Rcode.NXDOMAIN) {
            return Rcode.string(code);
        }
        // A referral or an empty answer from a server that does not recurse is no proof that there
        // is nothing.
        if (!message.getHeader().getFlag(Flags.RA)
                && !message.getHeader().getFlag(Flags.AA)
                && message.getSection(Section.ANSWER).isEmpty()) {
            return "that it does not look up names for us";
        }
        return null;
    }

    private static @Nullable CNAMERecord alias(List<Record> answers, Name name) {
        for (Record record : answers) {
            if (record instanceof CNAMERecord alias && alias.getName().equals(name)) {
                return alias;
            }
        }
        return null;
    }

    private static @Nullable SOARecord startOfAuthority(Message message) {
        for (Record record : message.getSection(Section.AUTHORITY)) {
            if (record instanceof SOARecord soa) {
                return soa;
            }
        }
        return null;
    }

    private static DnsRecord convert(Record record) {
        return switch (record) {
            case ARecord a -> new DnsRecord.Address(a.getAddress());
            case AAAARecord aaaa -> new DnsRecord.Address(aaaa.getAddress());
            case MXRecord mx -> new DnsRecord.Mx(mx.getPriority(), text(mx.getTarget()));
            case SRVRecord srv ->
                    new DnsRecord.Service(
                            srv.getPriority(),
                            srv.getWeight(),
                            srv.getPort(),
                            text(srv.getTarget()));
            case PTRRecord ptr -> new DnsRecord.Pointer(text(ptr.getTarget()));
            case TXTRecord txt -> {
                StringBuilder joined = new StringBuilder();
                for (byte[] part : txt.getStringsAsByteArrays()) {
                    joined.append(new String(part, StandardCharsets.ISO_8859_1));
                }
                yield new DnsRecord.Text(joined.toString());
            }
            case TLSARecord tlsa ->
                    new DnsRecord.Tlsa(
                            tlsa.getCertificateUsage(),
                            tlsa.getSelector(),
                            tlsa.getMatchingType(),
                            HexFormat.of().formatHex(tlsa.getCertificateAssociationData()));
            default -> throw new IllegalStateException("a record that was not asked for");
        };
    }

    /// In lower case without the final dot; octets that no host name has are escaped as in a zone
    /// file (RFC 1035 §5.1).
    private static String text(Name name) {
        return name.equals(Name.root) ? "." : name.toString(true).toLowerCase(Locale.ROOT);
    }

    private static String shown(Name name) {
        return Printable.escape(text(name));
    }

    private static String text(InetSocketAddress server) {
        return IpAddresses.format(server.getAddress())
                + (server.getPort() == DNS_PORT ? "" : " port " + server.getPort());
    }

    private static long ttl(Record record) {
        long seconds = record.getTTL();
        return seconds > TTL_SECONDS_MAX ? 0 : seconds;
    }

    private static Duration atMost(Duration wanted, Duration limit) {
        return wanted.compareTo(limit) < 0 ? wanted : limit;
    }

    /// RFC 6761 §6.3: localhost is never asked of a server.
    private static @Nullable DnsAnswer localhost(String name, RecordType type) {
        if (!name.equals("localhost") && !name.endsWith(".localhost")) {
            return null;
        }
        byte @Nullable [] octets =
                switch (type) {
                    case A -> new byte[] {127, 0, 0, 1};
                    case AAAA -> new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
                    case MX, PTR, TXT, TLSA, SRV -> null;
                };
        if (octets == null) {
            return new DnsAnswer.NoData();
        }
        try {
            return new DnsAnswer.Records(
                    List.of(new DnsRecord.Address(InetAddress.getByAddress(octets))),
                    TTL_SECONDS_MAX,
                    false);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 or 16 octets are always an address", e);
        }
    }

    private static List<InetSocketAddress> systemServers() {
        ResolvConfResolverConfigProvider file = new ResolvConfResolverConfigProvider();
        file.initialize();
        // resolv.conf(5): without a server, the one on this host.
        return file.servers().isEmpty()
                ? List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), DNS_PORT))
                : List.copyOf(file.servers());
    }
}
