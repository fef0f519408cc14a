//! The columns of an enriched event: their order in TSV, and what each is.
//!
//! The order is fixed by Snowplow's canonical event model; every version of its pipeline since R73
//! (2015) writes these 131.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Text.
    Text,
    /// A number.
    Number,
    /// `1` or `0`.
    Flag,
    /// Self-describing JSON.
    Json,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) holds: Holds,
}

const fn column(name: &'static str, holds: Holds) -> Column {
    Column { name, holds }
}

/// Returns whether a column says something of the touchpoint, rather than of the sender, of the
/// pipeline, or of what the envelope has already.
pub(super) fn is_told(name: &str) -> bool {
    !matches!(
        name,
        "etl_tstamp"
            | "collector_tstamp"
            | "dvce_created_tstamp"
            | "event"
            | "event_id"
            | "txn_id"
            | "name_tracker"
            | "v_tracker"
            | "v_collector"
            | "v_etl"
            | "user_id"
            | "user_ipaddress"
            | "user_fingerprint"
            | "domain_userid"
            | "network_userid"
            | "contexts"
            | "unstruct_event"
            | "useragent"
            | "etl_tags"
            | "dvce_sent_tstamp"
            | "refr_domain_userid"
            | "refr_device_tstamp"
            | "derived_contexts"
            | "derived_tstamp"
            | "event_vendor"
            | "event_name"
            | "event_format"
            | "event_version"
            | "event_fingerprint"
            | "true_tstamp"
    )
}

/// Every column, in the order of TSV.
pub(super) const COLUMNS: [Column; 131] = [
    column("app_id", Holds::Text),
    column("platform", Holds::Text),
    column("etl_tstamp", Holds::Text),
    column("collector_tstamp", Holds::Text),
    column("dvce_created_tstamp", Holds::Text),
    column("event", Holds::Text),
    column("event_id", Holds::Text),
    column("txn_id", Holds::Number),
    column("name_tracker", Holds::Text),
    column("v_tracker", Holds::Text),
    column("v_collector", Holds::Text),
    column("v_etl", Holds::Text),
    column("user_id", Holds::Text),
    column("user_ipaddress", Holds::Text),
    column("user_fingerprint", Holds::Text),
    column("domain_userid", Holds::Text),
    column("domain_sessionidx", Holds::Number),
    column("network_userid", Holds::Text),
    column("geo_country", Holds::Text),
    column("geo_region", Holds::Text),
    column("geo_city", Holds::Text),
    column("geo_zipcode", Holds::Text),
    column("geo_latitude", Holds::Number),
    column("geo_longitude", Holds::Number),
    column("geo_region_name", Holds::Text),
    column("ip_isp", Holds::Text),
    column("ip_organization", Holds::Text),
    column("ip_domain", Holds::Text),
    column("ip_netspeed", Holds::Text),
    column("page_url", Holds::Text),
    column("page_title", Holds::Text),
    column("page_referrer", Holds::Text),
    column("page_urlscheme", Holds::Text),
    column("page_urlhost", Holds::Text),
    column("page_urlport", Holds::Number),
    column("page_urlpath", Holds::Text),
    column("page_urlquery", Holds::Text),
    column("page_urlfragment", Holds::Text),
    column("refr_urlscheme", Holds::Text),
    column("refr_urlhost", Holds::Text),
    column("refr_urlport", Holds::Number),
    column("refr_urlpath", Holds::Text),
    column("refr_urlquery", Holds::Text),
    column("refr_urlfragment", Holds::Text),
    column("refr_medium", Holds::Text),
    column("refr_source", Holds::Text),
    column("refr_term", Holds::Text),
    column("mkt_medium", Holds::Text),
    column("mkt_source", Holds::Text),
    column("mkt_term", Holds::Text),
    column("mkt_content", Holds::Text),
    column("mkt_campaign", Holds::Text),
    column("contexts", Holds::Json),
    column("se_category", Holds::Text),
    column("se_action", Holds::Text),
    column("se_label", Holds::Text),
    column("se_property", Holds::Text),
    column("se_value", Holds::Number),
    column("unstruct_event", Holds::Json),
    column("tr_orderid", Holds::Text),
    column("tr_affiliation", Holds::Text),
    column("tr_total", Holds::Number),
    column("tr_tax", Holds::Number),
    column("tr_shipping", Holds::Number),
    column("tr_city", Holds::Text),
    column("tr_state", Holds::Text),
    column("tr_country", Holds::Text),
    column("ti_orderid", Holds::Text),
    column("ti_sku", Holds::Text),
    column("ti_name", Holds::Text),
    column("ti_category", Holds::Text),
    column("ti_price", Holds::Number),
    column("ti_quantity", Holds::Number),
    column("pp_xoffset_min", Holds::Number),
    column("pp_xoffset_max", Holds::Number),
    column("pp_yoffset_min", Holds::Number),
    column("pp_yoffset_max", Holds::Number),
    column("useragent", Holds::Text),
    column("br_name", Holds::Text),
    column("br_family", Holds::Text),
    column("br_version", Holds::Text),
    column("br_type", Holds::Text),
    column("br_renderengine", Holds::Text),
    column("br_lang", Holds::Text),
    column("br_features_pdf", Holds::Flag),
    column("br_features_flash", Holds::Flag),
    column("br_features_java", Holds::Flag),
    column("br_features_director", Holds::Flag),
    column("br_features_quicktime", Holds::Flag),
    column("br_features_realplayer", Holds::Flag),
    column("br_features_windowsmedia", Holds::Flag),
    column("br_features_gears", Holds::Flag),
    column("br_features_silverlight", Holds::Flag),
    column("br_cookies", Holds::Flag),
    column("br_colordepth", Holds::Text),
    column("br_viewwidth", Holds::Number),
    column("br_viewheight", Holds::Number),
    column("os_name", Holds::Text),
    column("os_family", Holds::Text),
    column("os_manufacturer", Holds::Text),
    column("os_timezone", Holds::Text),
    column("dvce_type", Holds::Text),
    column("dvce_ismobile", Holds::Flag),
    column("dvce_screenwidth", Holds::Number),
    column("dvce_screenheight", Holds::Number),
    column("doc_charset", Holds::Text),
    column("doc_width", Holds::Number),
    column("doc_height", Holds::Number),
    column("tr_currency", Holds::Text),
    column("tr_total_base", Holds::Number),
    column("tr_tax_base", Holds::Number),
    column("tr_shipping_base", Holds::Number),
    column("ti_currency", Holds::Text),
    column("ti_price_base", Holds::Number),
    column("base_currency", Holds::Text),
    column("geo_timezone", Holds::Text),
    column("mkt_clickid", Holds::Text),
    column("mkt_network", Holds::Text),
    column("etl_tags", Holds::Text),
    column("dvce_sent_tstamp", Holds::Text),
    column("refr_domain_userid", Holds::Text),
    column("refr_device_tstamp", Holds::Text),
    column("derived_contexts", Holds::Json),
    column("domain_sessionid", Holds::Text),
    column("derived_tstamp", Holds::Text),
    column("event_vendor", Holds::Text),
    column("event_name", Holds::Text),
    column("event_format", Holds::Text),
    column("event_version", Holds::Text),
    column("event_fingerprint", Holds::Text),
    column("true_tstamp", Holds::Text),
];
