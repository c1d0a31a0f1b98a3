//! Latin words that people on call hear at night, as they are said in Japanese.
//!
//! Sorted, because it is searched by halves; a test watches over it.

/// What is said for a word or a whole name, in any case of its letters.
pub(in crate::phrase) fn known(word: &str) -> Option<&'static str> {
    const LONGEST: usize = 20;
    if word.len() > LONGEST {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    WORDS.binary_search_by(|(known, _)| (*known).cmp(lower.as_str())).ok().map(|place| WORDS[place].1)
}

#[rustfmt::skip]
const WORDS: &[(&str, &str)] = &[
    ("a", "ア"), ("above", "アバブ"), ("access", "アクセス"), ("account", "アカウント"), ("active", "アクティブ"),
    ("agent", "エージェント"), ("ai", "エーアイ"), ("alarm", "アラーム"), ("alb", "エーエルビー"), ("alert", "アラート"),
    ("alertmanager", "アラートマネージャー"), ("alerts", "アラート"), ("alpha", "アルファ"), ("an", "アン"), ("and", "アンド"),
    ("android", "アンドロイド"), ("ansible", "アンシブル"), ("ap", "エーピー"), ("apache", "アパッチ"), ("api", "エーピーアイ"),
    ("app", "アプリ"), ("apple", "アップル"), ("application", "アプリケーション"), ("are", "アー"), ("asia", "アジア"),
    ("async", "アシンク"), ("at", "アット"), ("attack", "アタック"), ("aurora", "オーロラ"), ("auth", "オース"),
    ("authentication", "オーセンティケーション"), ("auto", "オート"), ("availability", "アベイラビリティ"), ("available", "アベイラブル"),
    ("average", "アベレージ"), ("aws", "エーダブリューエス"), ("azure", "アジュール"), ("backend", "バックエンド"), ("backup", "バックアップ"),
    ("bad", "バッド"), ("balancer", "バランサー"), ("bandwidth", "バンドワイズ"), ("base", "ベース"), ("bash", "バッシュ"),
    ("batch", "バッチ"), ("be", "ビー"), ("below", "ビロー"), ("beta", "ベータ"), ("billing", "ビリング"), ("bin", "ビン"),
    ("blackbox", "ブラックボックス"), ("block", "ブロック"), ("broker", "ブローカー"), ("bucket", "バケット"), ("buffer", "バッファ"),
    ("bug", "バグ"), ("build", "ビルド"), ("bus", "バス"), ("busy", "ビジー"), ("by", "バイ"), ("cache", "キャッシュ"),
    ("cancel", "キャンセル"), ("capacity", "キャパシティ"), ("cassandra", "カサンドラ"), ("central", "セントラル"), ("cert", "サート"),
    ("certificate", "サーティフィケート"), ("change", "チェンジ"), ("channel", "チャンネル"), ("check", "チェック"), ("chiba", "チバ"),
    ("clear", "クリア"), ("client", "クライアント"), ("clock", "クロック"), ("closed", "クローズド"), ("cloud", "クラウド"),
    ("cloudflare", "クラウドフレア"), ("cloudwatch", "クラウドウォッチ"), ("cluster", "クラスター"), ("code", "コード"), ("com", "コム"),
    ("command", "コマンド"), ("complete", "コンプリート"), ("compute", "コンピュート"), ("config", "コンフィグ"),
    ("connect", "コネクト"), ("connection", "コネクション"), ("consul", "コンスル"), ("consumer", "コンシューマー"),
    ("container", "コンテナ"), ("control", "コントロール"), ("controller", "コントローラー"), ("core", "コア"), ("count", "カウント"),
    ("cpu", "シーピーユー"), ("crash", "クラッシュ"), ("crashloopbackoff", "クラッシュループバックオフ"), ("critical", "クリティカル"),
    ("cron", "クーロン"), ("current", "カレント"), ("customer", "カスタマー"), ("daemon", "デーモン"), ("dashboard", "ダッシュボード"),
    ("data", "データ"), ("database", "データベース"), ("datadog", "データドッグ"), ("dead", "デッド"), ("debug", "デバッグ"),
    ("default", "デフォルト"), ("degraded", "デグレード"), ("delay", "ディレイ"), ("deploy", "デプロイ"),
    ("deployment", "デプロイメント"), ("desktop", "デスクトップ"), ("dev", "デブ"), ("device", "デバイス"), ("disk", "ディスク"),
    ("dns", "ディーエヌエス"), ("docker", "ドッカー"), ("domain", "ドメイン"), ("door", "ドア"), ("down", "ダウン"),
    ("drive", "ドライブ"), ("dynamodb", "ダイナモディービー"), ("east", "イースト"), ("ec2", "イーシーツー"), ("edge", "エッジ"),
    ("elasticsearch", "エラスティックサーチ"), ("elb", "イーエルビー"), ("email", "イーメール"), ("emergency", "エマージェンシー"),
    ("empty", "エンプティ"), ("endpoint", "エンドポイント"), ("engine", "エンジン"), ("env", "エンブ"), ("error", "エラー"),
    ("errors", "エラー"), ("etc", "エトセ"), ("etcd", "エトセディー"), ("eu", "イーユー"), ("event", "イベント"),
    ("example", "エグザンプル"), ("exceeded", "超過"), ("exception", "エクセプション"), ("exit", "イグジット"), ("expired", "期限切れ"),
    ("export", "エクスポート"), ("exporter", "エクスポーター"), ("fail", "フェイル"), ("failed", "フェイルド"),
    ("failover", "フェイルオーバー"), ("failure", "フェイラー"), ("false", "フォルス"), ("fan", "ファン"), ("fatal", "フェイタル"),
    ("fault", "フォルト"), ("file", "ファイル"), ("filesystem", "ファイルシステム"), ("filter", "フィルター"),
    ("firewall", "ファイアウォール"), ("firing", "発生中"), ("first", "ファースト"), ("fix", "フィックス"), ("flag", "フラグ"),
    ("for", "フォー"), ("free", "フリー"), ("from", "フロム"), ("frontend", "フロントエンド"), ("fukuoka", "フクオカ"),
    ("full", "フル"), ("function", "ファンクション"), ("gateway", "ゲートウェイ"), ("git", "ギット"), ("github", "ギットハブ"),
    ("gitlab", "ギットラブ"), ("global", "グローバル"), ("gmail", "ジーメール"), ("google", "グーグル"), ("gpu", "ジーピーユー"),
    ("grafana", "グラファナ"), ("group", "グループ"), ("grpc", "ジーアールピーシー"), ("guest", "ゲスト"), ("hadoop", "ハドゥープ"),
    ("hansho", "ハンショウ"), ("haproxy", "エイチエープロキシ"), ("hard", "ハード"), ("has", "ハズ"), ("health", "ヘルス"),
    ("heap", "ヒープ"), ("heartbeat", "ハートビート"), ("hello", "ハロー"), ("high", "ハイ"), ("hiroshima", "ヒロシマ"),
    ("hokkaido", "ホッカイドウ"), ("home", "ホーム"), ("host", "ホスト"), ("hostname", "ホストネーム"), ("hour", "アワー"),
    ("http", "エイチティーティーピー"), ("https", "エイチティーティーピーエス"), ("hub", "ハブ"), ("iam", "アイアム"), ("id", "アイディー"),
    ("idle", "アイドル"), ("image", "イメージ"), ("in", "イン"), ("inbound", "インバウンド"), ("incident", "インシデント"),
    ("index", "インデックス"), ("influxdb", "インフラックスディービー"), ("info", "インフォ"), ("ingress", "イングレス"),
    ("inode", "アイノード"), ("instance", "インスタンス"), ("interface", "インターフェース"), ("internal", "インターナル"),
    ("internet", "インターネット"), ("invalid", "インバリッド"), ("io", "アイオー"), ("iot", "アイオーティー"), ("ip", "アイピー"),
    ("ipv4", "アイピーブイフォー"), ("ipv6", "アイピーブイシックス"), ("is", "イズ"), ("issue", "イシュー"), ("istio", "イスティオ"),
    ("it", "アイティー"), ("japan", "ジャパン"), ("java", "ジャバ"), ("jenkins", "ジェンキンス"), ("job", "ジョブ"),
    ("journal", "ジャーナル"), ("jp", "ジェーピー"), ("json", "ジェイソン"), ("k8s", "クバネティス"), ("kafka", "カフカ"),
    ("kernel", "カーネル"), ("key", "キー"), ("kobe", "コウベ"), ("kubectl", "クーベコントロール"), ("kubelet", "クーブレット"),
    ("kubernetes", "クバネティス"), ("kyoto", "キョウト"), ("lag", "ラグ"), ("lambda", "ラムダ"), ("lan", "ラン"),
    ("last", "ラスト"), ("latency", "レイテンシー"), ("leader", "リーダー"), ("less", "レス"), ("level", "レベル"),
    ("license", "ライセンス"), ("limit", "リミット"), ("line", "ライン"), ("link", "リンク"), ("linux", "リナックス"),
    ("list", "リスト"), ("live", "ライブ"), ("load", "ロード"), ("loadbalancer", "ロードバランサー"), ("local", "ローカル"),
    ("localhost", "ローカルホスト"), ("lock", "ロック"), ("log", "ログ"), ("login", "ログイン"), ("loop", "ループ"),
    ("loss", "ロス"), ("lost", "ロスト"), ("low", "ロー"), ("mac", "マック"), ("mail", "メール"), ("main", "メイン"),
    ("maintenance", "メンテナンス"), ("manager", "マネージャー"), ("mariadb", "マリアディービー"), ("master", "マスター"),
    ("max", "マックス"), ("maximum", "マキシマム"), ("media", "メディア"), ("memcached", "メムキャッシュドゥ"), ("memory", "メモリー"),
    ("message", "メッセージ"), ("messages", "メッセージズ"), ("metric", "メトリック"), ("metrics", "メトリクス"),
    ("microsoft", "マイクロソフト"), ("min", "ミン"), ("mirror", "ミラー"), ("missing", "ミッシング"), ("mnt", "マウント"),
    ("mobile", "モバイル"), ("mode", "モード"), ("module", "モジュール"), ("mongo", "モンゴ"), ("mongodb", "モンゴディービー"),
    ("monitor", "モニター"), ("monitoring", "モニタリング"), ("more", "モア"), ("mount", "マウント"), ("mysql", "マイエスキューエル"),
    ("nagios", "ナギオス"), ("nagoya", "ナゴヤ"), ("name", "ネーム"), ("namespace", "ネームスペース"), ("nat", "ナット"),
    ("net", "ネット"), ("network", "ネットワーク"), ("new", "ニュー"), ("ng", "エヌジー"), ("nginx", "エンジンエックス"), ("no", "ノー"),
    ("node", "ノード"), ("none", "ナン"), ("normal", "ノーマル"), ("north", "ノース"), ("northeast", "ノースイースト"),
    ("not", "ノット"), ("notify", "ノーティファイ"), ("null", "ヌル"), ("object", "オブジェクト"), ("of", "オブ"), ("off", "オフ"),
    ("offline", "オフライン"), ("ok", "オーケー"), ("okinawa", "オキナワ"), ("old", "オールド"), ("on", "オン"),
    ("oncall", "オンコール"), ("online", "オンライン"), ("oom", "アウトオブメモリー"), ("open", "オープン"), ("opensearch", "オープンサーチ"),
    ("operation", "オペレーション"), ("opt", "オプト"), ("or", "オア"), ("ora", "オラ"), ("oracle", "オラクル"),
    ("order", "オーダー"), ("org", "オーグ"), ("os", "オーエス"), ("osaka", "オオサカ"), ("out", "アウト"), ("outage", "アウテージ"),
    ("outbound", "アウトバウンド"), ("over", "オーバー"), ("p50", "ピーゴジュウ"), ("p95", "ピーキュウジュウゴ"), ("p99", "ピーキュウジュウキュウ"),
    ("package", "パッケージ"), ("packet", "パケット"), ("page", "ページ"), ("panic", "パニック"), ("partition", "パーティション"),
    ("password", "パスワード"), ("path", "パス"), ("payment", "ペイメント"), ("pc", "ピーシー"), ("peer", "ピア"),
    ("pending", "ペンディング"), ("percent", "パーセント"), ("performance", "パフォーマンス"), ("ping", "ピング"),
    ("pipeline", "パイプライン"), ("pod", "ポッド"), ("pods", "ポッド"), ("pool", "プール"), ("port", "ポート"),
    ("postgres", "ポストグレス"), ("postgresql", "ポストグレスキューエル"), ("power", "パワー"), ("primary", "プライマリー"),
    ("probe", "プローブ"), ("problem", "プロブレム"), ("process", "プロセス"), ("processing", "プロセッシング"), ("prod", "プロッド"),
    ("producer", "プロデューサー"), ("production", "プロダクション"), ("program", "プログラム"), ("prometheus", "プロメテウス"),
    ("proxy", "プロキシ"), ("python", "パイソン"), ("query", "クエリー"), ("queue", "キュー"), ("quota", "クォータ"),
    ("rabbitmq", "ラビットエムキュー"), ("rack", "ラック"), ("raid", "レイド"), ("ram", "ラム"), ("rate", "レート"),
    ("rds", "アールディーエス"), ("read", "リード"), ("ready", "レディー"), ("reboot", "リブート"), ("received", "受信"),
    ("recovered", "復旧"), ("recovery", "リカバリー"), ("redis", "レディス"), ("refused", "拒否"), ("region", "リージョン"),
    ("registry", "レジストリー"), ("release", "リリース"), ("remote", "リモート"), ("replica", "レプリカ"), ("replicas", "レプリカ"),
    ("replication", "レプリケーション"), ("report", "レポート"), ("request", "リクエスト"), ("requests", "リクエスト"),
    ("reset", "リセット"), ("resolve", "リゾルブ"), ("resolved", "復旧"), ("resource", "リソース"), ("response", "レスポンス"),
    ("rest", "レスト"), ("restart", "リスタート"), ("retry", "リトライ"), ("root", "ルート"), ("route", "ルート"),
    ("router", "ルーター"), ("ruby", "ルビー"), ("rule", "ルール"), ("running", "ランニング"), ("runtime", "ランタイム"),
    ("s3", "エススリー"), ("saas", "サース"), ("scale", "スケール"), ("scheduler", "スケジューラー"), ("search", "サーチ"),
    ("secondary", "セカンダリー"), ("security", "セキュリティー"), ("select", "セレクト"), ("sendai", "センダイ"),
    ("sensor", "センサー"), ("sentry", "セントリー"), ("server", "サーバー"), ("servers", "サーバー"), ("service", "サービス"),
    ("services", "サービス"), ("session", "セッション"), ("sha256", "シャーニゴーロク"), ("shop", "ショップ"), ("signal", "シグナル"),
    ("since", "シンス"), ("site", "サイト"), ("slack", "スラック"), ("slave", "スレーブ"), ("slow", "スロー"), ("smart", "スマート"),
    ("snapshot", "スナップショット"), ("sns", "エスエヌエス"), ("socket", "ソケット"), ("soft", "ソフト"), ("software", "ソフトウェア"),
    ("source", "ソース"), ("south", "サウス"), ("southeast", "サウスイースト"), ("space", "スペース"), ("spark", "スパーク"),
    ("splunk", "スプランク"), ("sql", "エスキューエル"), ("sqlite", "エスキューライト"), ("sqs", "エスキューエス"), ("ssh", "エスエスエイチ"),
    ("ssl", "エスエスエル"), ("staging", "ステージング"), ("stale", "ステール"), ("standby", "スタンバイ"), ("start", "スタート"),
    ("state", "ステート"), ("status", "ステータス"), ("step", "ステップ"), ("stop", "ストップ"), ("storage", "ストレージ"),
    ("store", "ストア"), ("stream", "ストリーム"), ("success", "サクセス"), ("swap", "スワップ"), ("switch", "スイッチ"),
    ("sync", "シンク"), ("sys", "シス"), ("syslog", "シスログ"), ("system", "システム"), ("table", "テーブル"),
    ("target", "ターゲット"), ("task", "タスク"), ("team", "チーム"), ("telnet", "テルネット"), ("temperature", "テンペラチャー"),
    ("terraform", "テラフォーム"), ("test", "テスト"), ("than", "ザン"), ("the", "ザ"), ("thread", "スレッド"),
    ("threshold", "スレッショルド"), ("throughput", "スループット"), ("time", "タイム"), ("timeout", "タイムアウト"),
    ("timer", "タイマー"), ("tls", "ティーエルエス"), ("tmp", "テンプ"), ("to", "トゥ"), ("token", "トークン"), ("tokyo", "トウキョウ"),
    ("tomcat", "トムキャット"), ("tool", "ツール"), ("total", "トータル"), ("traffic", "トラフィック"),
    ("transaction", "トランザクション"), ("trigger", "トリガー"), ("true", "トゥルー"), ("trunk", "トランク"), ("tunnel", "トンネル"),
    ("twilio", "トゥイリオ"), ("ubuntu", "ウブントゥ"), ("unavailable", "アンアベイラブル"), ("unhealthy", "アンヘルシー"),
    ("unknown", "アンノウン"), ("unreachable", "到達不能"), ("up", "アップ"), ("update", "アップデート"), ("upload", "アップロード"),
    ("ups", "ユーピーエス"), ("upstream", "アップストリーム"), ("uptime", "アップタイム"), ("url", "ユーアールエル"), ("us", "ユーエス"),
    ("usage", "使用率"), ("use", "ユーズ"), ("used", "使用"), ("user", "ユーザー"), ("users", "ユーザー"), ("usr", "ユーザー"),
    ("utf-8", "ユーティーエフエイト"), ("utilization", "ユーティライゼーション"), ("value", "バリュー"), ("var", "バー"), ("vault", "ボルト"),
    ("version", "バージョン"), ("virtual", "バーチャル"), ("vm", "ブイエム"), ("voice", "ボイス"), ("volume", "ボリューム"),
    ("vpc", "ブイピーシー"), ("vpn", "ブイピーエヌ"), ("wan", "ワン"), ("warn", "ワーン"), ("warning", "ワーニング"), ("was", "ワズ"),
    ("web", "ウェブ"), ("webhook", "ウェブフック"), ("west", "ウエスト"), ("wifi", "ワイファイ"), ("windows", "ウィンドウズ"),
    ("with", "ウィズ"), ("worker", "ワーカー"), ("write", "ライト"), ("x86", "エックスハチロク"), ("yaml", "ヤムル"), ("yes", "イエス"),
    ("yokohama", "ヨコハマ"), ("zabbix", "ザビックス"), ("zone", "ゾーン"), ("zookeeper", "ズーキーパー"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found() {
        for (word, said) in WORDS {
            assert_eq!(known(word), Some(*said), "{word} stands in the wrong place");
        }
        assert_eq!(known("CPU"), Some("シーピーユー"));
        assert_eq!(known("nosuchword"), None);
    }
}
