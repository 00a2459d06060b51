package org.malote.delivery;

/// One line of the route table.
public record Route(DomainPattern pattern, Via via) {}
